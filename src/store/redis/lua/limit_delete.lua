#!lua flags=allow-oom
-- needs: call
-- limit_delete.lua: its starts stay, for those who bring a limit of that name. ARGV: now, name.
local gone = begin()
if gone then return gone end
if call('HDEL', P .. 'limits', ARGV[2]) == 0 then
  return fail('ENOTFOUND', "there is no limit '" .. ARGV[2] .. "'")
end
set('limits', call('HLEN', P .. 'limits'))
wake(WAIT_READY)
return finish(0)
