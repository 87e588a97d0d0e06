#!lua flags=no-writes
-- needs: call
-- count_kept.lua: how many jobs are in these states, by the counters of the queues. ARGV: now, bits of states, queue or ''.
local gone = begin()
if gone then return gone end
local states, n = {}, 0
for state = HELD, CANCELLED do
  if bit.band(tonumber(ARGV[2]), bit.lshift(1, state)) ~= 0 then
    states[#states + 1] = state
  end
end
for _, queue in ipairs(ARGV[3] ~= '' and {ARGV[3]} or call('ZRANGE', P .. 'queues', 0, -1)) do
  for _, count in ipairs(call('HMGET', P .. 'q:' .. queue, unpack(states))) do
    n = n + (tonumber(count or 0) or 0)
  end
end
return n
