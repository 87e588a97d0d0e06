-- needs: call leases
-- records.lua: a job as a table and as it is stored: in the hash `jobs`, by id, as a row of MessagePack values.
--
-- j.x has what not every job has; its names are one or two letters, they are stored with every job:
--   t tags, b batch, uk ut uu unique key, its ttl, until when; l limits; h has a failed hook; w how many it waits for;
--   g the edge that stands against it; k its hook: 1 due, 2 leased; f ended at; e error; r result; a the attempt that is
--   DONE; wk the worker that had it last.
-- A job without flags is not written when it is reserved: stored READY and in a lease, it is RUNNING. State, flags and
-- whether there is anything in x are the first three bytes of a row: quick.lua looks at no more. The number is the last
-- nine: Lua's hash of a long string looks at some bytes only, the last among them, and rows are much alike.
local F_UNIQUE, F_LIMITS, F_EDGES, F_BATCH, F_CANCEL, F_ATTEMPTS, F_PARENTS = 1, 2, 4, 8, 16, 32, 64
local UINT64 = 207 -- of MessagePack
local jobs_key = P .. 'jobs'
local jobs, jobs_changed = {}, {}

local function has_flag(j, flag)
  return j.flags % (flag * 2) >= flag
end

local function flag_set(j, flag)
  if not has_flag(j, flag) then
    j.flags = j.flags + flag
  end
end

local function flag_clear(j, flag)
  if has_flag(j, flag) then
    j.flags = j.flags - flag
  end
end

local function job_encode(j)
  return pack(j.state, j.flags, next(j.x) and 1 or 0, j.prio, j.tries, j.attempts, j.run_at, j.created, j.name, j.queue, j.options,
              j.data, j.x) .. struct.pack('>BI8', UINT64, j.seq)
end

local function job_decode(iid, value)
  local j, _ = {iid = iid, raw = value}
  j.state, j.flags, _, j.prio, j.tries, j.attempts, j.run_at, j.created, j.name, j.queue, j.options, j.data, j.x, j.seq =
    unpack_all(value)
  return j
end

-- What was reserved without being written.
local function run_if_leased(j)
  if j.state == READY and j.flags == 0 and lease_of(j.iid) then
    j.state = RUNNING
    j.attempts = j.attempts + 1
  end
end

-- The job as it is in this call, or nil. `is_ready`: it comes from a line, so no lease has it.
local function job_read(iid, is_ready)
  local j = jobs[iid]
  if j == nil then
    local value = call('HGET', jobs_key, iid)
    j = value and job_decode(iid, value)
    if j and not is_ready then
      run_if_leased(j)
    end
    jobs[iid] = j
  end
  return j or nil
end

-- Reads them all at once, for job_read to find.
local function jobs_read(iids, is_ready)
  local unread = {}
  for i = 1, #iids do
    if jobs[iids[i]] == nil then
      unread[#unread + 1] = iids[i]
    end
  end
  local values = call_many(unread, 'HMGET', jobs_key)
  for i = 1, #unread do
    local j = values[i] and job_decode(unread[i], values[i])
    if j and not is_ready then
      run_if_leased(j)
    end
    jobs[unread[i]] = j or false
  end
end

-- It has changed: written at the end. One that runs is no longer what its lease takes it for.
local function job_save(j)
  if j.state == RUNNING then
    local l = lease_of(j.iid)
    if l and l.is_plain == 1 then
      l.is_plain, l.is_changed = 0, true
    end
  end
  if not j.is_changed then
    j.is_changed = true
    jobs_changed[#jobs_changed + 1] = j
  end
end

local function jobs_write()
  local rows, gone = {}, {}
  for i = 1, #jobs_changed do
    local j = jobs_changed[i]
    if j.is_dropped then
      gone[#gone + 1] = j.iid
    else
      rows[#rows + 1] = j.iid
      rows[#rows + 1] = job_encode(j)
    end
  end
  call_many(gone, 'HDEL', jobs_key)
  call_many(rows, 'HSET', jobs_key)
end
at_end[#at_end + 1] = jobs_write

-- An id as text, for messages and for those who search.
local function id_text(iid)
  if #iid ~= 16 or string.byte(iid, 9) < 128 then
    return iid
  end
  local hex = string.gsub(iid, '.', function(c) return string.format('%02x', string.byte(c)) end)
  return string.sub(hex, 1, 8) .. '-' .. string.sub(hex, 9, 12) .. '-' .. string.sub(hex, 13, 16) .. '-' ..
    string.sub(hex, 17, 20) .. '-' .. string.sub(hex, 21)
end

-- ------------------------------------------------------------------ order of insertion

-- `order:C` is a list of the ids whose numbers begin with C, at their places; a batch, which has a number as well, leaves
-- an empty one. It goes with its last job.
local CHUNK = 1024
local order_key, live_key = P .. 'order', P .. 'order:live'
local live = {}

local function chunk_of(seq)
  return math.floor(seq / CHUNK)
end

local function live_add(seq, n)
  local chunk = chunk_of(seq)
  live[chunk] = (live[chunk] or 0) + n
end

-- The number that follows, for a job or (iid '') a batch.
local function seq_take(iid)
  local seq = M.seq + 1
  set('seq', seq)
  local chunk = chunk_of(seq)
  if seq % CHUNK == 0 or seq == 1 then
    call('ZADD', order_key, chunk, chunk)
    live[chunk - 1] = live[chunk - 1] or 0
    if seq == 1 then
      call('RPUSH', order_key .. ':0', '')
    end
  end
  call('RPUSH', order_key .. ':' .. chunk, iid)
  live_add(seq, iid == '' and 0 or 1)
  return seq
end

-- The id that has the number, or nil.
local function id_by_seq(seq)
  local iid = call('LINDEX', order_key .. ':' .. chunk_of(seq), seq % CHUNK)
  return iid and iid ~= '' and iid or nil
end

-- Every job in order of insertion. `see` answers whether it is still wanted: of the others nothing is kept.
local function each_by_order(see)
  local chunks = call('ZRANGE', order_key, 0, -1)
  for c = 1, #chunks do
    local iids, first = call('LRANGE', order_key .. ':' .. chunks[c], 0, -1), tonumber(chunks[c]) * CHUNK
    jobs_read(iids)
    for i = 1, #iids do
      local j = job_read(iids[i])
      -- Another job may have the id by now.
      if j and j.seq == first + i - 1 and not see(j) and not j.is_changed then
        jobs[j.iid] = nil
      elseif not j then
        jobs[iids[i]] = nil
      end
    end
  end
end

-- The chunk that still grows stays; when it is full (seq_take), it is looked at once more: all in it may have gone.
local function live_write()
  local growing = chunk_of(M.seq)
  for chunk, n in pairs(live) do
    if n ~= 0 or chunk < growing then
      n = call('HINCRBY', live_key, chunk, n)
      if n == 0 and chunk < growing then
        call('UNLINK', order_key .. ':' .. chunk)
        call('HDEL', live_key, chunk)
        call('ZREM', order_key, chunk)
      end
    end
  end
end
at_end[#at_end + 1] = live_write
