#!lua flags=allow-oom
-- migrate.lua: the version of the store, and with ARGV[2] '1' the making of it.
-- Answers the version that was found (0: none).
local found = redis.call('TYPE', KEYS[1]).ok
if found == 'none' then
  if ARGV[2] == '1' then
    local time = redis.call('TIME')
    local ms = time[1] * 1000 + math.floor(time[2] / 1000)
    redis.call('HSET', KEYS[1], 'schema', ARGV[3], 'lease_at', ms, 'lease_wall', ms)
  end
  return 0
end
if found ~= 'hash' then
  return redis.error_reply('ERRAND ECONFLICT the key ' .. KEYS[1] .. ' is not errand\'s: choose another prefix=')
end
return tonumber(redis.call('HGET', KEYS[1], 'schema')) or -1
