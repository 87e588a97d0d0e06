-- schema.lua: the version of the store, 0 when there is none, -1 when its key has none; or an error: the key is not ours.
local function schema_found()
  local found = redis.call('TYPE', KEYS[1]).ok
  if found == 'none' then
    return 0
  end
  if found ~= 'hash' then
    return redis.error_reply('ERRAND ECONFLICT the key ' .. KEYS[1] .. ' is not errand\'s: choose another prefix=')
  end
  return tonumber(redis.call('HGET', KEYS[1], 'schema')) or -1
end
