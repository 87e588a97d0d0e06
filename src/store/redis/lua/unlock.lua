#!lua flags=allow-oom
-- needs: call
-- unlock.lua: gives a lock back. ARGV: now, key, owner, token.
local gone = begin()
if gone then return gone end
local name, owner, token = ARGV[2], ARGV[3], tonumber(ARGV[4])
local held = call('HGET', P .. 'locks', name)
local row = held and unpack_all(held)
if not row or row[3] <= lease_now then
  return fail('ECONFLICT', "the lock is over: '" .. owner .. "' holds it no more")
end
if row[1] ~= token or row[2] ~= owner then
  return fail('ECONFLICT', "the lock is held by '" .. row[2] .. "', not '" .. owner .. "'")
end
call('HDEL', P .. 'locks', name)
call('ZREM', P .. 'locks:ends', name)
return finish(0)
