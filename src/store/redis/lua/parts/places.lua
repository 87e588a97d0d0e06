-- needs: call records leases lines claims tell moves
-- places.lua: the places a job can be in, and its moves between them: lines and zsets of its queue, a lease, those that
-- have ended. Who waits for it is told by follow().
local jobs_to_follow, batches_to_follow = {n = 0, first = 1, is_in = {}}, {n = 0, first = 1, is_in = {}}
local batch_count

-- Once, until it is its turn.
local function line_up(waiting, what)
  if not waiting.is_in[what.iid] then
    waiting.is_in[what.iid] = true
    waiting.n = waiting.n + 1
    waiting[waiting.n] = what
  end
end

local function next_up(waiting)
  local what = waiting[waiting.first]
  if what then
    waiting[waiting.first] = nil
    waiting.first = waiting.first + 1
    waiting.is_in[what.iid] = nil
  end
  return what
end

local function is_final(state)
  return state >= COMPLETED
end

local function is_waiting(j)
  return j.state <= READY
end

local function run_at_of(j)
  return j.run_at
end

local function finished_of(j)
  return j.x.f
end

-- READY jobs of a queue stand in lanes, by priority; those that bring limits in one of their own for each set of limits, so
-- that all of them are held back with the first. `prio:QUEUE` has the names of the lanes by priority.
local lane_marks = {}

local function lane_of(j)
  if not j.x.l then
    return text_of(j.prio)
  end
  local limits = pack(j.x.l)
  local mark = lane_marks[limits] or redis.sha1hex(limits)
  lane_marks[limits] = mark
  return j.prio .. '+' .. mark
end

local function ready_line(j)
  return 'ready:' .. lane_of(j) .. ':' .. j.queue
end

local function done_line(j)
  return 'done:' .. j.queue
end

-- ------------------------------------------------------------------ running, under limits

-- How many RUNNING jobs bring a limit and key: the hash `holds`.
local function holds_add(j, n)
  local seen = {}
  for i = 1, #j.x.l do
    local field = j.x.l[i][1] .. '\0' .. j.x.l[i][2]
    if not seen[field] then
      seen[field] = true
      if call('HINCRBY', P .. 'holds', field, n) <= 0 then
        call('HDEL', P .. 'holds', field)
      end
    end
  end
end

-- ------------------------------------------------------------------ places

local prios_new = {}

local function ready_enter(j)
  local line = ready_line(j)
  line_add(line, j.run_at, j.seq, j.iid)
  if not prios_new[line] then
    prios_new[line] = true
    call('ZADD', P .. 'prio:' .. j.queue, j.prio, lane_of(j))
  end
end

local function ready_leave(j)
  line_remove(ready_line(j), j.seq, j.iid)
end

local function place_enter(j)
  count(j.queue, j.state, 1)
  if j.state == READY then
    ready_enter(j)
    wake(WAIT_READY)
  elseif j.state == SCHEDULED then
    call('ZADD', P .. 'scheduled:' .. j.queue, text_of(j.run_at), member_of(j.seq, j.iid))
    wake(WAIT_READY)
  elseif j.state == RUNNING then
    if j.x.l then
      holds_add(j, 1)
    end
  elseif is_final(j.state) then
    j.x.f = j.x.f or now
    if j.state == COMPLETED then
      line_add(done_line(j), j.x.f, j.seq, j.iid)
    else
      call('ZADD', P .. 'ended:' .. j.state .. ':' .. j.queue, text_of(j.x.f), member_of(j.seq, j.iid))
    end
    wake(WAIT_ENDED)
  end
end

-- `is_walked`: whoever walks along its line takes it out.
local function place_leave(j, is_walked)
  count(j.queue, j.state, -1)
  if j.state == READY then
    if not is_walked then
      ready_leave(j)
    end
  elseif j.state == SCHEDULED then
    call('ZREM', P .. 'scheduled:' .. j.queue, member_of(j.seq, j.iid))
  elseif j.state == RUNNING then
    if j.x.l then
      holds_add(j, -1)
    end
    -- It may have stood in the way of another under a limit.
    if j.x.l or M.limits > 0 then
      wake(WAIT_READY)
    end
  elseif is_final(j.state) then
    if j.state == COMPLETED then
      if not is_walked then
        line_remove(done_line(j), j.seq, j.iid)
      end
    else
      call('ZREM', P .. 'ended:' .. j.state .. ':' .. j.queue, member_of(j.seq, j.iid))
    end
    j.x.f = nil
  end
end

-- ------------------------------------------------------------------ hooks

-- By time of end; M.hooks is how many are due.
local function hook_due(j)
  j.x.k = 1
  call('ZADD', P .. 'hooks:' .. j.queue, text_of(j.x.f), member_of(j.seq, j.iid))
  set('hooks', M.hooks + 1)
  wake(WAIT_READY)
  job_save(j)
end

-- `l`: the lease that has it, when that is known.
local function hook_clear(j, l)
  if j.x.k == 1 then
    call('ZREM', P .. 'hooks:' .. j.queue, member_of(j.seq, j.iid))
    set('hooks', M.hooks - 1)
  elseif j.x.k == 2 then
    l = l or lease_of(j.iid, true)
    if l then
      lease_leave(l, j.iid, true)
    end
  end
  j.x.k = nil
  job_save(j)
end

-- ------------------------------------------------------------------ moves

local function job_enter(j)
  queue_make(j.queue)
  place_enter(j)
  if j.x.b then
    call('ZADD', P .. 'members:' .. j.x.b, j.seq, j.iid)
    batch_count(j, nil, j.state)
  end
  job_save(j)
end

-- What leaving RUNNING does to a job.
local function running_leave(j)
  local l = lease_of(j.iid)
  if l then
    j.x.wk = l.worker
    lease_leave(l, j.iid)
  end
  flag_clear(j, F_CANCEL)
  call('HDEL', P .. 'progress', j.iid)
end

-- `attempts`: what is added to the count; nil: it begins at 0 again. By whom the rows of the table of moves differ.
local function job_move(j, to, attempts, is_walked)
  local from = j.state
  place_leave(j, is_walked)
  j.attempts = attempts and j.attempts + attempts or 0
  if from == RUNNING then
    running_leave(j)
  end
  if is_final(from) then
    j.x.e = nil
    hook_clear(j)
  end
  if j.x.uk and ((to == RUNNING and j.x.uu == 2) or (is_final(to) and j.x.uu ~= 0)) then
    claim_release(j)
  end
  j.state = to
  place_enter(j)
  if j.x.b then
    batch_count(j, from, to)
  end
  if is_final(from) ~= is_final(to) then
    line_up(jobs_to_follow, j)
  end
  job_save(j)
end

-- A new run-at for a job that waits.
local function job_put_off(j, run_at)
  job_save(j)
  if j.state == HELD then
    j.run_at = run_at
    return
  end
  place_leave(j)
  j.run_at = math.max(run_at, now)
  j.state = run_at <= now and READY or SCHEDULED
  place_enter(j)
end

local function job_reorder(j, prio)
  if j.state == READY then
    ready_leave(j)
  end
  j.prio = prio
  if j.state == READY then
    ready_enter(j)
  end
  job_save(j)
end

-- ------------------------------------------------------------------ attempts

local ATTEMPTS_KEPT = 100

-- One that counted; that of a job that is done is kept with the job.
local function attempt_add(j, attempt)
  local key = P .. 'attempts:' .. j.iid
  flag_set(j, F_ATTEMPTS)
  call('RPUSH', key, attempt)
  call('LTRIM', key, -ATTEMPTS_KEPT, -1)
end
