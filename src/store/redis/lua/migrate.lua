#!lua
-- needs: schema
-- migrate.lua: makes the store where there is none, or brings it to the version. ARGV: now, version, identity. Answers the version
-- that was found (0: none).
--
-- 2: the inbox, an empty stream that is there as long as the store is. Its name has the version, so that whoever has an older
-- program in hand finds none. Followers of before are of that program, and there is no inbox while somebody follows.
local found = schema_found()
if type(found) ~= 'number' or found < 0 or found > 1 then
  return found
end
local inbox = string.sub(KEYS[1], 1, -5) .. 'inbox:' .. ARGV[2]
redis.call('XADD', inbox, '*', 'made', '')
redis.call('XTRIM', inbox, 'MAXLEN', 0)
redis.call('HSET', KEYS[1], 'schema', ARGV[2], 'follow', 0)
redis.call('HSETNX', KEYS[1], 'identity', ARGV[3])
if found == 0 then
  local time = redis.call('TIME')
  local ms = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('HSET', KEYS[1], 'lease_at', ms, 'lease_wall', ms)
end
return found
