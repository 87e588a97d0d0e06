#!lua
-- needs: call
-- lock.lua: takes a named lock that is free or over, or lengthens it for its owner. Ends are on the lease clock.
-- ARGV: now, key, owner, ttl. Answers token (0: somebody else has it), end on the wall clock, owner.
local gone = begin()
if gone then return gone end
local name, owner, ttl = ARGV[2], ARGV[3], tonumber(ARGV[4])
local held = call('HGET', P .. 'locks', name)
local token, holder, ends = nil, owner, 0
if held then
  token, holder, ends = unpack(unpack_all(held))
end
if not held or ends <= lease_now then
  token, holder = token_next(), owner
  set('token', token)
end
if holder ~= owner then
  return finish({0, now + ends - lease_now, holder})
end
ends = lease_now + ttl
call('HSET', P .. 'locks', name, pack({token, owner, ends}))
call('ZADD', P .. 'locks:ends', ends, name)
return finish({token, now + ttl, owner})
