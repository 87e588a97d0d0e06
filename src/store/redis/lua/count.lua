#!lua flags=no-writes
-- needs: filter
-- count.lua: how many of a stretch of the jobs match. ARGV: now, filter, number to go on behind.
-- Answers how many, and the number to go on behind (0: that was all).
local gone = begin()
if gone then return gone end
local CHUNKS = 4
local filter, n = filter_of(ARGV[2]), 0
local chunks = call('ZRANGE', order_key, '(' .. ARGV[3], '+inf', 'BYSCORE', 'LIMIT', 0, CHUNKS)
for _, chunk in ipairs(chunks) do
  local iids = call('LRANGE', order_key .. ':' .. chunk, 0, -1)
  for place, j in ipairs(filter_find(filter, iids)) do
    if j and j.seq == chunk * CHUNK + place - 1 then
      n = n + 1
    end
  end
end
return {n, #chunks == CHUNKS and tonumber(chunks[CHUNKS]) or -1}
