-- needs: call
-- push_quick.lua: pushing plain jobs (quick.lua) of ids that nobody has: nothing to look at but those, and one command for
-- all of a run. Ends the script when all runs were such; else nothing has been written, and push.lua does it all.
--
-- ARGV[2] edges, batch or {}, runs, how many singles; there are either of them. A run: {name, queue, options, priority,
-- tries, run at, n}, and of each of its n jobs two arguments, id and packed data, from ARGV[3] on. A single: push.lua.
local edges_wanted, batch_wanted, runs, singles_n = unpack_all(ARGV[2])
local CHUNK_OF = 1024 -- records.lua

local function quick_is_new(ids)
  local seen = {}
  for i = 1, #ids do
    if seen[ids[i]] then
      return false
    end
    seen[ids[i]] = true
  end
  local rows = call_many(ids, 'HMGET', P .. 'jobs')
  for i = 1, #ids do
    if rows[i] then
      return false
    end
  end
  return true
end

-- A chunk that is full, and all in it may have gone.
local function quick_chunk_end(chunk)
  if tonumber(call('HGET', P .. 'order:live', chunk) or 0) == 0 then
    call('UNLINK', P .. 'order:' .. chunk)
    call('HDEL', P .. 'order:live', chunk)
    call('ZREM', P .. 'order', chunk)
  end
end

-- What seq_take() does, for all at once (records.lua).
local function quick_numbers(ids)
  local at, first = 1, M.seq + 1
  if first == 1 then
    call('ZADD', P .. 'order', 0, 0)
    call('RPUSH', P .. 'order:0', '')
  end
  while at <= #ids do
    local seq = first + at - 1
    local chunk = math.floor(seq / CHUNK_OF)
    local n = math.min(#ids - at + 1, (chunk + 1) * CHUNK_OF - seq)
    if seq % CHUNK_OF == 0 then
      quick_chunk_end(chunk - 1)
      call('ZADD', P .. 'order', chunk, chunk)
    end
    call('RPUSH', P .. 'order:' .. chunk, unpack(ids, at, at + n - 1))
    call('HINCRBY', P .. 'order:live', chunk, n)
    at = at + n
  end
  set('seq', M.seq + #ids)
  return first
end

-- At the end of the line when it is their turn there: else each has to find its place (lines.lua).
local function quick_line(run, ids, first, run_at)
  local line, at, seq = 'ready:' .. run[4] .. ':' .. run[2], -1, 0
  local tail = call('HGET', P .. 'tails', line)
  if tail then
    at, seq = unpack_all(tail)
  end
  if run_at < at or (run_at == at and first <= seq) then
    local late = {}
    for i = 1, #ids do
      late[2 * i - 1], late[2 * i] = text_of(run_at), struct.pack('>I8', first + i - 1) .. ids[i]
    end
    call_many(late, 'ZADD', P .. line .. ':late')
  else
    call_many(ids, 'RPUSH', P .. line)
    call('HSET', P .. 'tails', line, pack(run_at, first + #ids - 1))
  end
  call('ZADD', P .. 'prio:' .. run[2], run[4], run[4])
end

local function quick_scheduled(run, ids, first)
  local members = {}
  for i = 1, #ids do
    members[2 * i - 1], members[2 * i] = text_of(run[6]), struct.pack('>I8', first + i - 1) .. ids[i]
  end
  call_many(members, 'ZADD', P .. 'scheduled:' .. run[2])
end

local function quick_insert(run, ids, argument)
  local first, run_at = quick_numbers(ids), math.max(run[6], now)
  local state = run_at > now and SCHEDULED or READY
  local before = pack(state, 0, 0, run[4], run[5], 0, run_at, now, run[1], run[2], run[3])
  local behind = pack({}) .. '\207' -- x, and the number as records.lua has it
  local rows = {}
  for i = 1, #ids do
    rows[2 * i - 1], rows[2 * i] = ids[i], before .. ARGV[argument + 2 * i - 1] .. behind .. struct.pack('>I8', first + i - 1)
  end
  call_many(rows, 'HSET', P .. 'jobs')
  if state == READY then
    quick_line(run, ids, first, run_at)
  else
    quick_scheduled(run, ids, first)
  end
  count(run[2], state, #ids)
  queue_make(run[2])
  wake(WAIT_READY)
  return state
end

-- The state of the jobs of each run, or nil.
local function push_quick()
  local all, argument, states = {}, 3, {}
  if M.follow > now or singles_n > 0 or #edges_wanted > 0 or #batch_wanted > 0 then
    return nil
  end
  for r = 1, #runs do
    for i = 1, runs[r][7] do
      all[#all + 1] = ARGV[argument]
      argument = argument + 2
    end
  end
  if not quick_is_new(all) then
    return nil
  end
  argument = 3
  for r = 1, #runs do
    local n, ids = runs[r][7], {}
    for i = 1, n do
      ids[i] = ARGV[argument + 2 * i - 2]
    end
    states[r] = quick_insert(runs[r], ids, argument)
    argument = argument + 2 * n
  end
  return states
end

local refused = begin()
if refused then
  return refused
end
local states = push_quick()
if states then
  return finish(pack({}, 0, states))
end
