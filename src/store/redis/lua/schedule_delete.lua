#!lua flags=allow-oom
-- needs: call
-- schedule_delete.lua. ARGV: now, name.
local gone = begin()
if gone then return gone end
if call('HDEL', P .. 'schedules', ARGV[2]) == 0 then
  return fail('ENOTFOUND', "there is no schedule '" .. ARGV[2] .. "'")
end
wake(WAIT_SCHEDULES)
return finish(0)
