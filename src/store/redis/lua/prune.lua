#!lua flags=allow-oom
-- needs: follow limits
-- prune.lua: forgets what has ended, by age and by number, and what nobody needs any more. ARGV: now, most to take, then
-- age and number to keep of each of COMPLETED, FAILED, CANCELLED (negative: without limit), age of batches.
-- Answers how many jobs went.
local gone = begin()
if gone then return gone end
local left = tonumber(ARGV[2])
local STATS_KEPT_MS = 2592000000
local n = 0

local function is_to_go(j, age, excess)
  return left > 0 and (excess > 0 or (age >= 0 and now - j.x.f >= age))
end

local function drop(j, is_walked)
  job_drop(j, false, is_walked)
  left = left - 1
  n = n + 1
end

local function prune_completed(queue, age, excess)
  local w = line_walk('done:' .. queue, COMPLETED, finished_of)
  local j = walk_peek(w)
  while j and is_to_go(j, age, excess) do
    walk_next(w, true)
    drop(j, true)
    excess = excess - 1
    j = walk_peek(w)
  end
  walk_end(w)
end

local function prune_ended(queue, state, age, excess)
  local key = P .. 'ended:' .. state .. ':' .. queue
  for _, member in ipairs(call('ZRANGE', key, 0, left - 1)) do
    local j = job_read(string.sub(member, 9))
    if not is_to_go(j, age, excess) then
      return
    end
    drop(j)
    excess = excess - 1
  end
end

local queues = call('ZRANGE', P .. 'queues', 0, -1)
for state = COMPLETED, CANCELLED do
  local age, keep = tonumber(ARGV[3 + 2 * (state - COMPLETED)]), tonumber(ARGV[4 + 2 * (state - COMPLETED)])
  for _, queue in ipairs(queues) do
    local excess = keep >= 0 and (tonumber(call('HGET', P .. 'q:' .. queue, state) or 0) or 0) - keep or 0
    if left > 0 and (age >= 0 or excess > 0) then
      if state == COMPLETED then
        prune_completed(queue, age, excess)
      else
        prune_ended(queue, state, age, excess)
      end
    end
  end
end

local function prune_batches(age)
  for _, iid in ipairs(call('ZRANGE', P .. 'batches:over', '-inf', text_of(now - age), 'BYSCORE')) do
    if call('ZCARD', P .. 'members:' .. iid) == 0 then
      batch_drop(iid)
    end
  end
end

-- Starts under a limit that matter to nobody any more.
local function prune_starts()
  local over_key, rates_key = P .. 'rates:over', P .. 'rates'
  for _, field in ipairs(call('ZRANGE', over_key, '-inf', text_of(now), 'BYSCORE')) do
    call('UNLINK', P .. 'starts:' .. field)
    call('HDEL', rates_key, field)
    call('ZREM', over_key, field)
  end
end

local function prune_stats()
  local before = '(' .. text_of(now - STATS_KEPT_MS)
  for _, minute in ipairs(call('ZRANGE', P .. 'stats', '-inf', before, 'BYSCORE')) do
    call('UNLINK', P .. 'stats:' .. minute)
  end
  call('ZREMRANGEBYSCORE', P .. 'stats', '-inf', before)
end

local function prune_locks()
  for _, name in ipairs(call('ZRANGE', P .. 'locks:ends', '-inf', text_of(lease_now), 'BYSCORE')) do
    call('HDEL', P .. 'locks', name)
  end
  call('ZREMRANGEBYSCORE', P .. 'locks:ends', '-inf', text_of(lease_now))
end

if tonumber(ARGV[9]) >= 0 then
  prune_batches(tonumber(ARGV[9]))
end
prune_starts()
prune_stats()
prune_locks()
return finish(n)
