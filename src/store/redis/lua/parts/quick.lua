-- needs: call
-- quick.lua: reserving plain jobs, and settling those that are DONE: without unique key, limits, edges, batch, or attempts
-- that failed. They are nearly all there are, and take a tenth of the time when none of them becomes a table. What is
-- not plain is left to settle.lua and reserve.lua, which can do it all; nothing here follows from anything else.
local quick_jobs, quick_leases, quick_live = P .. 'jobs', P .. 'leases', P .. 'order:live'
local byte, sub = string.byte, string.sub
local CHUNK_OF = 1024 -- records.lua

-- ------------------------------------------------------------------ leases

-- The lease, when all its jobs are plain; else nil.
local function quick_lease(token)
  local value = call('HGET', quick_leases, token)
  if not value then
    return nil
  end
  local l = {}
  l.since, l.until_ms, l.worker, l.is_plain, l.queue, l.jobs = unpack_all(value)
  return l.is_plain == 1 and l or nil
end

-- `there`: the jobs it still has.
local function quick_lease_write(token, l, there)
  local left = {}
  for i = 1, next(there) and #l.jobs or 0 do
    if there[l.jobs[i]] then
      left[#left + 1] = l.jobs[i]
    end
  end
  if #left == 0 then
    call('HDEL', quick_leases, token)
    call('ZREM', P .. 'deadlines', token)
  else
    call('HSET', quick_leases, token, pack(l.since, l.until_ms, l.worker, 1, l.queue, left, {}))
  end
end

-- ------------------------------------------------------------------ the end of rows

-- Jobs and their numbers leave, also the order of insertion (records.lua).
local function quick_drop(iids, numbers)
  local by_chunk = {}
  call_many(iids, 'HDEL', quick_jobs)
  for i = 1, #numbers do
    local chunk = math.floor(numbers[i] / CHUNK_OF)
    by_chunk[chunk] = (by_chunk[chunk] or 0) + 1
  end
  for chunk, n in pairs(by_chunk) do
    if call('HINCRBY', quick_live, chunk, -n) == 0 and chunk < math.floor(M.seq / CHUNK_OF) then
      call('UNLINK', P .. 'order:' .. chunk)
      call('HDEL', quick_live, chunk)
      call('ZREM', P .. 'order', chunk)
    end
  end
end

local function number_of(row)
  return (struct.unpack('>I8', row, #row - 7))
end

-- The oldest of the COMPLETED of a queue, so many as are over `keep`, when they are plain as well. What is left of them
-- is for prune.
local function quick_keep(queue, keep)
  local over = tonumber(call('HGET', P .. 'q:' .. queue, COMPLETED) or 0) + (counts[queue][COMPLETED] or 0) - keep
  local line = P .. 'done:' .. queue
  if over <= 0 or call('EXISTS', line .. ':gone') == 1 then
    return
  end
  local iids, numbers = call('LRANGE', line, 0, math.min(over, 1000) - 1), {}
  local rows = #iids > 0 and call('HMGET', quick_jobs, unpack(iids)) or {}
  for i = 1, #iids do
    local state, flags = byte(rows[i] or '', 1, 2)
    if state ~= COMPLETED or flags ~= 0 then
      return
    end
    numbers[i] = number_of(rows[i])
  end
  call('LTRIM', line, #iids, -1)
  count(queue, COMPLETED, -#iids)
  quick_drop(iids, numbers)
end

-- ------------------------------------------------------------------ settling

-- Rows of jobs that are done now, by queue: {seq, id}; at the end of the line of each (lines.lua).
local done_by_queue = {}

-- They nearly always are.
local function sort(list)
  for i = 2, #list do
    if list[i][1] < list[i - 1][1] then
      table.sort(list, function(a, b) return a[1] < b[1] end)
      return
    end
  end
end

local function done_enter(queue, list)
  local line, iids, late = 'done:' .. queue, {}, {}
  sort(list)
  local tail, at, seq = call('HGET', P .. 'tails', line), -1, 0
  if tail then
    at, seq = unpack_all(tail)
  end
  for i = 1, #list do
    local is_last = now > at or (now == at and list[i][1] > seq)
    if is_last then
      iids[#iids + 1] = list[i][2]
    else
      late[#late + 1] = text_of(now)
      late[#late + 1] = struct.pack('>I8', list[i][1]) .. list[i][2]
    end
  end
  call_many(iids, 'RPUSH', P .. line)
  call_many(late, 'ZADD', P .. line .. ':late')
  if #iids > 0 then
    call('HSET', P .. 'tails', line, pack(now, list[#list][1]))
  end
end

-- What the rows of a lease's jobs have in common when they are done: {state, flags, has x} and the beginnings of x and of
-- the attempt in it, with and without a result (a map of 4 or 3; an array of 12).
local DONE, ATTEMPT, ATTEMPT_END = pack(COMPLETED, 0, 1), '\156', pack('', 0, 0, 0, 0, 0, 0, '', '')

local function extras_begin(l)
  return pack('f', now, 'wk', l.worker, 'a')
end

-- The row of a job that is done: its attempts are one more, and x, which was empty, gets something.
local function done_row(row, l, begins, started, ended, result)
  local at = cmsgpack.unpack_limit(row, 2, 3)
  local behind, attempts = cmsgpack.unpack_limit(row, 1, at)
  attempts = attempts + 1
  local attempt = ATTEMPT .. pack(attempts, started ~= 0 and started or l.since, ended ~= 0 and ended or now) .. ATTEMPT_END
  local x = result == '' and '\131' .. begins .. pack(attempt) or '\132' .. begins .. pack(attempt, 'r', result)
  return DONE .. sub(row, 4, at) .. pack(attempts) .. sub(row, behind + 1, -11) .. x .. sub(row, -9)
end

local function queue_of(row)
  local _, _, _, _, _, _, _, queue = cmsgpack.unpack_limit(row, 7, 3)
  return queue
end

-- A run of jobs that are done: {token, the name for those who follow or false, ids, their numbers, started, ended, results,
-- queue, attempts}. Answers whether it
-- is settled, with the answers written to `settled` from `at` on.
local function quick_settle(run, keep, settled, at)
  local token, iids, keys = text_of(run[1]), run[3], run[4]
  if M.follow > now and run[2] then
    return false
  end
  local l = quick_lease(token)
  if not l then
    return false
  end
  local there, mine, numbers, places = {}, {}, {}, {}
  for i = 1, #l.jobs do
    there[l.jobs[i]] = true
  end
  for i = 1, #iids do
    local iid = iids[i]
    local is_there = there[iid]
    settled[at + i - 1] = is_there and 0 or 1
    if is_there then
      local n = #mine + 1
      there[iid] = nil
      mine[n], numbers[n], places[n] = iid, keys[i], i
    end
  end
  if #mine == 0 then
    return true
  end
  local rows = (keep ~= 0 or l.queue == '') and call_many(mine, 'HMGET', quick_jobs)
  local written, begins = {}, extras_begin(l)
  for i = 1, #mine do
    local queue = l.queue ~= '' and l.queue or queue_of(rows[i])
    if keep ~= 0 then
      local row = done_row(rows[i], l, begins, run[5][places[i]], run[6][places[i]], run[7][places[i]])
      local list = done_by_queue[queue] or {}
      done_by_queue[queue] = list
      list[#list + 1] = {number_of(row), mine[i]}
      written[2 * i - 1], written[2 * i] = mine[i], row
      count(queue, COMPLETED, 1)
    end
    count(queue, RUNNING, -1)
  end
  if keep ~= 0 then
    call_many(written, 'HSET', quick_jobs)
  else
    quick_drop(mine, numbers)
  end
  quick_lease_write(token, l, there)
  wake(WAIT_ENDED)
  return true
end

local function quick_settled(keep)
  for queue, list in pairs(done_by_queue) do
    done_enter(queue, list)
    if keep > 0 then
      quick_keep(queue, keep)
    end
  end
end

-- ------------------------------------------------------------------ reserving

-- When the first of the queue is due (0: none); nil: one is.
local function due_at(queue)
  local first = call('ZRANGE', P .. 'scheduled:' .. queue, 0, 0, 'WITHSCORES')
  local at = tonumber(first[2] or 0)
  return (at == 0 or at > now) and at or nil
end

-- The head of one line, when all in it are plain: adds to the plan, or answers false.
local function quick_line(plan, queue, prio)
  local line = P .. 'ready:' .. prio .. ':' .. queue
  if call('EXISTS', line .. ':late', line .. ':gone') > 0 then
    return false
  end
  local iids = call('LRANGE', line, 0, plan.max - plan.n - 1)
  local rows = call_many(iids, 'HMGET', quick_jobs)
  local handed = plan.handed
  for i = 1, #iids do
    local row = rows[i]
    local state, flags, x = byte(row or '', 1, 3)
    if state ~= READY or flags ~= 0 or x ~= 0 then
      return false
    end
    handed[2 * (plan.n + i) - 1], handed[2 * (plan.n + i)] = iids[i], row
  end
  plan.lines[#plan.lines + 1] = {line = line, queue = queue, prio = prio, n = #iids, is_empty = #iids < plan.max - plan.n}
  plan.n = plan.n + #iids
  return true
end

local function quick_queue(plan, queue, due)
  local paused = tonumber(call('HGET', P .. 'q:' .. queue, 'paused') or 0)
  if paused > now then
    due = paused < FOREVER and paused or 0
  end
  if due > 0 and (not plan.next_at or due < plan.next_at) then
    plan.next_at = due
  end
  if paused > now then
    return true
  end
  local prios = call('ZRANGE', P .. 'prio:' .. queue, 0, -1) -- lanes of places.lua
  if #prios > 0 then
    plan.queues_n = plan.queues_n + 1
  end
  local last
  for i = 1, #prios do
    local prio, mark = string.match(prios[i], '^(-?%d+)(.*)')
    -- A lane of its own has to be merged with that of the same priority, which comes before it here.
    if mark ~= '' and (plan.n < plan.max or prio == last) then
      return false
    end
    if plan.n < plan.max then
      last = prio
      if not quick_line(plan, queue, prio) then
        return false
      end
    end
  end
  return true
end

-- What there is to hand out, or nil: not all of it is plain. Of all queues as one line there may be one that has jobs:
-- several have to be compared job by job.
local function quick_plan(asked, max)
  local plan = {max = max, n = 0, handed = {}, lines = {}, queues_n = 0}
  local is_one_line = #asked == 0
  if M.hooks > 0 or M.limits > 0 then
    return nil
  end
  local queues = is_one_line and call('ZRANGE', P .. 'queues', 0, -1) or asked
  for i = 1, #queues do
    local due = due_at(queues[i])
    if not due or not quick_queue(plan, queues[i], due) or (is_one_line and plan.queues_n > 1) then
      return nil
    end
  end
  return plan
end

-- Takes what was planned. Answers the token, 0 when there was nothing.
local function quick_take(plan, worker, lease_ms)
  if plan.n == 0 then
    return 0
  end
  local iids, queue = {}, plan.lines[1].queue
  for i = 1, plan.n do
    iids[i] = plan.handed[2 * i - 1]
  end
  for i = 1, #plan.lines do
    local one = plan.lines[i]
    call('LTRIM', one.line, one.n, -1)
    if one.is_empty then
      call('ZREM', P .. 'prio:' .. one.queue, one.prio)
    end
    count(one.queue, READY, -one.n)
    count(one.queue, RUNNING, one.n)
    queue = one.n > 0 and one.queue ~= queue and '' or queue
  end
  set('token', M.token + 1)
  local token = text_of(M.token)
  call('HSET', quick_leases, token, pack(now, lease_now + lease_ms, worker, 1, queue, iids, {}))
  call('ZADD', P .. 'deadlines', text_of(lease_now + lease_ms), token)
  return M.token
end
