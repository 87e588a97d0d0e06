#!lua
-- needs: call
-- stats_add.lua: adds to the numbers of a minute. ARGV: now, then for each: minute, "queue\0name", packed numbers
-- {done, failed, retried, run, wait, run_hist…, wait_hist…}. A hash for each minute, so that forgetting one is one
-- command.
local gone = begin()
if gone then return gone end
for i = 2, #ARGV, 3 do
  local minutes = P .. 'stats:' .. ARGV[i]
  local old = call('HGET', minutes, ARGV[i + 1])
  local sum = ARGV[i + 2]
  if old then
    local a, b = unpack_all(old), unpack_all(sum)
    for j = 1, #a do
      a[j] = a[j] + b[j]
    end
    sum = pack(a)
  end
  call('HSET', minutes, ARGV[i + 1], sum)
  call('ZADD', P .. 'stats', ARGV[i], ARGV[i])
end
return finish(0)
