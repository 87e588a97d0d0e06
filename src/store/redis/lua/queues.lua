#!lua flags=no-writes
-- needs: places
-- queues.lua: all queues by name: counts by state, until when each is paused (0: not), since when its oldest READY job may
-- run (0: none).
local gone = begin()
if gone then return gone end

-- Over all priorities: the first of the line need not have waited longest.
local function oldest_ready(queue)
  local oldest = 0
  for _, prio in ipairs(call('ZRANGE', P .. 'prio:' .. queue, 0, -1)) do
    local first = walk_peek(line_walk('ready:' .. prio .. ':' .. queue, READY, run_at_of))
    if first and (oldest == 0 or first.run_at < oldest) then
      oldest = first.run_at
    end
  end
  return oldest
end

local reply = {}
for i, queue in ipairs(call('ZRANGE', P .. 'queues', 0, -1)) do
  local row = {queue}
  local kept = call('HMGET', P .. 'q:' .. queue, HELD, SCHEDULED, READY, RUNNING, COMPLETED, FAILED, CANCELLED, 'paused')
  for k = 1, 8 do
    row[1 + k] = tonumber(kept[k] or 0) or 0
  end
  if row[9] <= now then
    row[9] = 0
  end
  row[10] = oldest_ready(queue)
  reply[i] = row
end
return pack(reply)
