-- needs: follow limits
-- reserve.lua: handing out work: hooks that are due, then READY jobs in the order of the contract, past the paused queues
-- and past the jobs that a limit holds back.
local DUE_AT_ONCE = 1000

-- Jobs handed out: behind the room for what comes first in the answer, ids and rows in turn; the hooks first.
local handed, handed_n, hooks_n = {''}, 0, 0
local next_at

local function sooner(at)
  if at > 0 and at < FOREVER and (not next_at or at < next_at) then
    next_at = at
  end
end

-- ------------------------------------------------------------------ due jobs

-- Answers when the next is due. A thousand at once: the rest is for the next call, at once.
local function promote(queue)
  local key = P .. 'scheduled:' .. queue
  local first = call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if not first[1] then
    return
  end
  if tonumber(first[2]) > now then
    return tonumber(first[2])
  end
  local due, iids = call('ZRANGEBYSCORE', key, '-inf', text_of(now), 'LIMIT', 0, DUE_AT_ONCE), {}
  for i = 1, #due do
    iids[i] = string.sub(due[i], 9)
  end
  jobs_read(iids)
  for i = 1, #iids do
    job_move(job_read(iids[i]), READY, 0)
  end
  first = call('ZRANGE', key, 0, 0, 'WITHSCORES')
  return first[2] and math.max(tonumber(first[2]), now)
end

-- The queues to take from, of those asked for: neither paused nor unknown.
local function queues_open(asked)
  local open = {}
  for i = 1, #asked do
    local queue = asked[i]
    local due_at = promote(queue)
    local paused = tonumber(call('HGET', P .. 'q:' .. queue, 'paused') or 0)
    if paused > now then
      sooner(paused)
    else
      if due_at then
        sooner(due_at)
      end
      open[#open + 1] = queue
    end
  end
  return open
end

-- ------------------------------------------------------------------ handing out

local function hand_out(j)
  handed_n = handed_n + 1
  handed[2 * handed_n] = j.iid
  handed[2 * handed_n + 1] = not j.is_changed and j.raw or job_encode(j)
end

local function take(j, l, limits)
  hand_out(j)
  lease_add(l, j.iid)
  job_move(j, RUNNING, 1, true)
  limits_start(j, limits)
  j.x.wk = l.worker
end

local function take_hook(j, l)
  hand_out(j)
  hook_clear(j)
  j.x.k = 2
  lease_add(l, j.iid, true)
  j.x.wk = l.worker
  hooks_n = hooks_n + 1
end

-- ------------------------------------------------------------------ hooks

local function hooks_of(queue)
  local rows, list = call('ZRANGE', P .. 'hooks:' .. queue, 0, -1, 'WITHSCORES'), {}
  for i = 1, #rows, 2 do
    list[#list + 1] = {iid = string.sub(rows[i], 9), at = tonumber(rows[i + 1]), seq = string.sub(rows[i], 1, 8)}
  end
  return list
end

-- In the order of the queues; of all as one line by time.
local function pick_hooks(open, max, l, is_one_line)
  if M.hooks == 0 then
    return
  end
  local list = {}
  for i = 1, #open do
    for _, h in ipairs(hooks_of(open[i])) do
      list[#list + 1] = h
    end
  end
  if is_one_line then
    table.sort(list, function(a, b) return a.at < b.at or (a.at == b.at and a.seq < b.seq) end)
  end
  for i = 1, math.min(#list, max) do
    take_hook(job_read(list[i].iid), l)
  end
end

-- ------------------------------------------------------------------ jobs

-- A walk of each line of the queues, in the order of the queues and priorities.
local function walks_of(open)
  local walks = {}
  for i = 1, #open do
    local lanes = call('ZRANGE', P .. 'prio:' .. open[i], 0, -1, 'WITHSCORES')
    for p = 1, #lanes, 2 do
      local w = line_walk('ready:' .. lanes[p] .. ':' .. open[i], READY, run_at_of)
      w.lane, w.prio, w.queue = lanes[p], tonumber(lanes[p + 1]), open[i]
      walks[#walks + 1] = w
    end
  end
  return walks
end

local function is_first(a, b)
  if a.prio ~= b.prio then
    return a.prio < b.prio
  end
  return comes_before(a, b, run_at_of)
end

-- The walk whose next job comes first: with queues given, of the first queue and priority that have one.
local function walk_first(walks, is_one_line)
  local best, best_w
  for i = 1, #walks do
    local w = walks[i]
    if best and not is_one_line and (w.queue ~= best_w.queue or w.prio ~= best_w.prio) then
      break
    end
    local j = not w.has_ended and walk_peek(w)
    if j and (not best or is_first(j, best)) then
      best, best_w = j, w
    end
    w.has_ended = not j
  end
  return best_w, best
end

-- Hands it out, or leaves it at its place; what holds back the whole lane ends the walk.
local function pick(w, j, l)
  local limits = limits_of(j)
  local is_allowed, at, is_lane = limits_allow(limits)
  if is_allowed then
    walk_next(w, true)
    take(j, l, limits)
    return
  end
  sooner(at)
  w.has_ended = is_lane
  if not is_lane then
    walk_next(w, false)
  end
end

local function pick_jobs(open, max, l, is_one_line)
  local walks = walks_of(open)
  while handed_n < max do
    local w, j = walk_first(walks, is_one_line)
    if not w then
      break
    end
    pick(w, j, l)
  end
  for i = 1, #walks do
    if walk_end(walks[i]) then
      call('ZREM', P .. 'prio:' .. walks[i].queue, walks[i].lane)
    end
  end
end

-- Answers the lease, or nil when there was nothing.
local function reserve(asked, max, worker, lease_ms)
  local is_one_line = #asked == 0
  local open = queues_open(is_one_line and call('ZRANGE', P .. 'queues', 0, -1) or asked)
  local l = lease_make(worker, lease_ms)
  pick_hooks(open, max, l, is_one_line)
  pick_jobs(open, max, l, is_one_line)
  if handed_n == 0 then
    return nil
  end
  lease_keep(l)
  return l
end
