-- needs: call
-- insert.lua: what pushing many plain jobs (quick.lua) and emptying the inbox have in common: numbers and a place in line for all
-- of a run at once.
local CHUNK_OF = 1024 -- records.lua

-- Whether nobody has any of the ids, and none is there twice.
local function are_new(ids)
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
local function chunk_end(chunk)
  if tonumber(call('HGET', P .. 'order:live', chunk) or 0) == 0 then
    call('UNLINK', P .. 'order:' .. chunk)
    call('HDEL', P .. 'order:live', chunk)
    call('ZREM', P .. 'order', chunk)
  end
end

-- What seq_take() does, for all at once (records.lua). Answers the first number.
local function insert_numbers(ids)
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
      chunk_end(chunk - 1)
      call('ZADD', P .. 'order', chunk, chunk)
    end
    call('RPUSH', P .. 'order:' .. chunk, unpack(ids, at, at + n - 1))
    call('HINCRBY', P .. 'order:live', chunk, n)
    at = at + n
  end
  set('seq', M.seq + #ids)
  return first
end

-- READY jobs with run-ats that do not fall, from the first to the last. At the end of the line when it is their turn there: else
-- each has to find its place (lines.lua); answers false then, and all have to have the same run-at.
local function insert_line(queue, prio, ids, first, run_at, run_at_last)
  local line, at, seq = 'ready:' .. prio .. ':' .. queue, -1, 0
  local tail = call('HGET', P .. 'tails', line)
  if tail then
    at, seq = unpack_all(tail)
  end
  local is_late = run_at < at or (run_at == at and first <= seq)
  if is_late and run_at ~= run_at_last then
    return false
  end
  if is_late then
    local late = {}
    for i = 1, #ids do
      late[2 * i - 1], late[2 * i] = text_of(run_at), struct.pack('>I8', first + i - 1) .. ids[i]
    end
    call_many(late, 'ZADD', P .. line .. ':late')
  else
    call_many(ids, 'RPUSH', P .. line)
    call('HSET', P .. 'tails', line, pack(run_at_last, first + #ids - 1))
  end
  call('ZADD', P .. 'prio:' .. queue, prio, prio)
  return true
end
