#!lua flags=no-writes
-- needs: call
-- stats_read.lua: the numbers of some minutes. ARGV: now, first minute, minute after the last, most minutes a call,
-- "queue\0name" or "" for all. Answers where to go on (0: that was all), then minute, {key, row, …}, ….
local gone = begin()
if gone then return gone end
local most = tonumber(ARGV[4])
local minutes = call('ZRANGE', P .. 'stats', ARGV[2], '(' .. ARGV[3], 'BYSCORE', 'LIMIT', 0, most)
local reply = {#minutes == most and tonumber(minutes[most]) + 1 or 0}
for _, minute in ipairs(minutes) do
  local rows
  if ARGV[5] == '' then
    rows = call('HGETALL', P .. 'stats:' .. minute)
  else
    local row = call('HGET', P .. 'stats:' .. minute, ARGV[5])
    rows = row and {ARGV[5], row} or {}
  end
  reply[#reply + 1] = tonumber(minute)
  reply[#reply + 1] = rows
end
return pack(reply)
