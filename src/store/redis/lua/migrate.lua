#!lua
-- needs: schema
-- migrate.lua: makes the store where there is none. ARGV: now, version, identity. Answers the version that was found (0: none).
local found = schema_found()
if found == 0 then
  local time = redis.call('TIME')
  local ms = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('HSET', KEYS[1], 'schema', ARGV[2], 'lease_at', ms, 'lease_wall', ms, 'identity', ARGV[3])
end
return found
