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
    local first = numbers[i] - numbers[i] % CHUNK_OF
    by_chunk[first] = (by_chunk[first] or 0) + 1
  end
  for first, n in pairs(by_chunk) do
    local chunk = first / CHUNK_OF
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

-- What the rows of a lease's jobs have in common when they are done: state, flags, has x; x is a map of 3 or, with a result,
-- 4, its last value an array of 12, the attempt, as bytes of a length below 256. As few strings as can be: making them is
-- most of the time.
local DONE, ATTEMPT, ATTEMPT_END, BYTES = pack(COMPLETED, 0, 1), '\156', pack('', 0, 0, 0, 0, 0, 0, '', ''), 217

local function extras_begin(l)
  return pack('f', now, 'wk', l.worker, 'a')
end

-- The row of a job that is done: its attempts are one more, and x, which was empty, gets something.
local function done_row(row, l, begins, started, ended, result)
  local at = cmsgpack.unpack_limit(row, 2, 3)
  local behind, attempts = cmsgpack.unpack_limit(row, 1, at)
  local attempt = pack(attempts + 1, started ~= 0 and started or l.since, ended ~= 0 and ended or now)
  return DONE .. sub(row, 4, at) .. pack(attempts + 1) .. sub(row, behind + 1, -11) .. (result == '' and '\131' or '\132') ..
           begins .. string.char(BYTES, #ATTEMPT + #attempt + #ATTEMPT_END) .. ATTEMPT .. attempt .. ATTEMPT_END ..
           (result == '' and '' or pack('r', result)) .. sub(row, -9)
end

local function queue_of(row)
  local _, _, _, _, _, _, _, queue = cmsgpack.unpack_limit(row, 7, 3)
  return queue
end

-- What is left of the lease, what of the run is of it, the numbers of that, and its places in the run.
local function part_of_lease(l, run, settled, at)
  local there, mine, numbers, places, iids, keys = {}, {}, {}, {}, run[3], run[4]
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
  return there, mine, numbers, places
end

-- The same when the run is the lease: nothing to look for, and places as they are (nil). Or nothing.
local function whole_lease(l, run, settled, at)
  local iids, jobs = run[3], l.jobs
  if #iids ~= #jobs then
    return
  end
  for i = 1, #iids do
    if iids[i] ~= jobs[i] then
      return
    end
  end
  for i = at, at + #iids - 1 do
    settled[i] = 0
  end
  return {}, iids, run[4]
end

-- A run of jobs that are done: {token, the name for those who follow or false, ids, their numbers, started, ended, results,
-- queue, attempts}. Answers whether it
-- is settled, with the answers written to `settled` from `at` on.
local function quick_settle(run, keep, settled, at)
  local token = text_of(run[1])
  if M.follow > now and run[2] then
    return false
  end
  local l = quick_lease(token)
  if not l then
    return false
  end
  local there, mine, numbers, places = whole_lease(l, run, settled, at)
  if not mine then
    there, mine, numbers, places = part_of_lease(l, run, settled, at)
  end
  if #mine == 0 then
    return true
  end
  local rows = (keep ~= 0 or l.queue == '') and call_many(mine, 'HMGET', quick_jobs)
  local written, begins = {}, extras_begin(l)
  if keep == 0 and l.queue ~= '' then
    count(l.queue, RUNNING, -#mine)
  end
  for i = 1, rows and #mine or 0 do
    local queue = l.queue ~= '' and l.queue or queue_of(rows[i])
    if keep ~= 0 then
      local place = places and places[i] or i
      local row = done_row(rows[i], l, begins, run[5][place], run[6][place], run[7][place])
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

-- The head of a lane (places.lua): its ids and rows, or nil when not all of them are plain and in the list.
local function quick_head(lane, n)
  if lane.is_limited or call('EXISTS', lane.line .. ':late', lane.line .. ':gone') > 0 then
    return nil
  end
  local iids = call('LRANGE', lane.line, 0, n - 1)
  local rows = call_many(iids, 'HMGET', quick_jobs)
  for i = 1, #iids do
    local state, flags, x = byte(rows[i] or '', 1, 3)
    if state ~= READY or flags ~= 0 or x ~= 0 then
      return nil
    end
  end
  lane.n, lane.is_empty = 0, #iids < n
  return iids, rows
end

local function quick_hand_out(plan, lane, iid, row)
  plan.n = plan.n + 1
  lane.n = lane.n + 1
  plan.handed[2 * plan.n], plan.handed[2 * plan.n + 1] = iid, row
end

-- Lanes of several queues and one priority: by run-at and number.
local function quick_merge(plan, lanes, n)
  local all = {}
  for i = 1, #lanes do
    local iids, rows = quick_head(lanes[i], n)
    if not iids then
      return false
    end
    for k = 1, #iids do
      local _, _, _, _, run_at = cmsgpack.unpack_limit(rows[k], 4, 3)
      all[#all + 1] = {run_at, number_of(rows[k]), lanes[i], iids[k], rows[k]}
    end
    lanes[i].found_n = #iids
  end
  table.sort(all, function(a, b) return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]) end)
  for k = 1, math.min(n, #all) do
    quick_hand_out(plan, all[k][3], all[k][4], all[k][5])
  end
  for i = 1, #lanes do
    lanes[i].is_empty = lanes[i].is_empty and lanes[i].n == lanes[i].found_n
  end
  return true
end

-- Lanes of one priority.
local function quick_group(plan, lanes)
  local n, handed = plan.max - plan.n, plan.handed
  for i = 1, #lanes do
    plan.lanes[#plan.lanes + 1] = lanes[i]
  end
  if #lanes > 1 then
    plan.only = nil
    return quick_merge(plan, lanes, n)
  end
  local iids, rows = quick_head(lanes[1], n)
  if not iids then
    return false
  end
  plan.only = plan.n == 0 and iids or nil
  for i = 1, #iids do
    handed[2 * (plan.n + i)], handed[2 * (plan.n + i) + 1] = iids[i], rows[i]
  end
  plan.n, lanes[1].n = plan.n + #iids, #iids
  return true
end

-- In the order of priorities, so far as there is room.
local function quick_lanes(plan, lanes)
  local at = 1
  table.sort(lanes, function(a, b) return a.prio < b.prio end)
  while at <= #lanes and plan.n < plan.max do
    local group = {}
    repeat
      group[#group + 1] = lanes[at]
      at = at + 1
    until at > #lanes or lanes[at].prio ~= group[1].prio
    if not quick_group(plan, group) then
      return false
    end
  end
  return true
end

local function sooner_of(plan, at)
  if at > 0 and at < FOREVER and (not plan.next_at or at < plan.next_at) then
    plan.next_at = at
  end
end

-- Adds the lanes of a queue that is open; answers false when a job of it is due, which has to be made READY first.
local function quick_queue(plan, queue, lanes)
  local due, paused = due_at(queue), tonumber(call('HGET', P .. 'q:' .. queue, 'paused') or 0)
  if not due then
    return false
  end
  if paused > now then
    sooner_of(plan, paused)
    return true
  end
  sooner_of(plan, due)
  local names = call('ZRANGE', P .. 'prio:' .. queue, 0, -1, 'WITHSCORES')
  for i = 1, #names, 2 do
    lanes[#lanes + 1] = {line = P .. 'ready:' .. names[i] .. ':' .. queue, queue = queue, name = names[i],
                         prio = tonumber(names[i + 1]), is_limited = string.find(names[i], '+', 1, true)}
  end
  return true
end

-- What there is to hand out, or nil: not all of it is plain. `handed` is the answer of the script, with room for what comes
-- first in it; `only` is the ids, when they are those of one list.
local function quick_plan(asked, max)
  local plan, lanes = {max = max, n = 0, handed = {''}, lanes = {}}, {}
  local is_one_line = #asked == 0
  if M.hooks > 0 or M.limits > 0 then
    return nil
  end
  local queues = is_one_line and call('ZRANGE', P .. 'queues', 0, -1) or asked
  for i = 1, #queues do
    if not quick_queue(plan, queues[i], lanes) then
      return nil
    end
    if not is_one_line then
      if not quick_lanes(plan, lanes) then
        return nil
      end
      lanes = {}
    end
  end
  return (not is_one_line or quick_lanes(plan, lanes)) and plan or nil
end

-- Takes what was planned. Answers the token, 0 when there was nothing.
local function quick_take(plan, worker, lease_ms)
  local iids, queue = plan.only or {}, nil
  for i = 1, plan.only and 0 or plan.n do
    iids[i] = plan.handed[2 * i]
  end
  for i = 1, #plan.lanes do
    local lane = plan.lanes[i]
    if lane.n > 0 then
      call('LTRIM', lane.line, lane.n, -1)
      count(lane.queue, READY, -lane.n)
      count(lane.queue, RUNNING, lane.n)
      queue = (not queue or queue == lane.queue) and lane.queue or ''
    end
    if lane.is_empty then
      call('ZREM', P .. 'prio:' .. lane.queue, lane.name)
    end
  end
  if plan.n == 0 then
    return 0
  end
  set('token', token_next())
  local token = text_of(M.token)
  call('HSET', quick_leases, token, pack(now, lease_now + lease_ms, worker, 1, queue, iids, {}))
  call('ZADD', P .. 'deadlines', text_of(lease_now + lease_ms), token)
  return M.token
end
