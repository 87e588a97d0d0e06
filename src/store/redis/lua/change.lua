#!lua flags=allow-oom
-- needs: follow filter
-- change.lua: what an operator does to jobs. ARGV[2] kind, 1 when moves are wanted, max, ids, and of an
-- edit data, options, priority, tries, run at; false: is kept. Without ids ARGV[3] is a filter. Answers what became of each id, how many
-- were looked at, how many changed, 1 when there are more, moves.
local refused = begin()
if refused then
  return refused
end
local CANCEL, RETRY, DELETE, RUN_NOW, EDIT, MOVED = 0, 1, 2, 3, 4, 5
local CHANGED, NO_SUCH_JOB, WRONG_STATE, KEY_TAKEN = 0, 1, 2, 3
local kind, wants_moves, max, ids, data, options, prio, tries, run_at = unpack_all(ARGV[2])
are_moves_wanted = wants_moves == 1
local filter = ARGV[3] and filter_of(ARGV[3])

-- ------------------------------------------------------------------ one job

local function can(j)
  if kind == CANCEL then
    return is_waiting(j) or (j.state == RUNNING and not (filter and has_flag(j, F_CANCEL)))
  elseif kind == RETRY then
    return j.state == FAILED or j.state == CANCELLED
  elseif kind == DELETE or kind == MOVED then
    return j.state ~= RUNNING
  elseif kind == RUN_NOW then
    return j.state == SCHEDULED
  end
  return j.state ~= RUNNING and j.state ~= COMPLETED
end

local function cancel(j)
  if j.state ~= RUNNING then
    local from = j.state
    job_move(j, CANCELLED, 0)
    move_add(j, from)
  elseif not has_flag(j, F_CANCEL) then
    flag_set(j, F_CANCEL)
    job_save(j)
    set('control', M.control + 1)
    wake(WAIT_CONTROL)
  end
end

-- The operator's word counts more than that of a parent that has ended.
local function waive(j)
  local up = has_flag(j, F_PARENTS) and edges_of(P .. 'up:' .. j.iid) or {}
  for i = 1, #up do
    if up[i].state == AGAINST then
      up[i].state = SATISFIED
      edge_save(up[i])
      waits_less(j)
    end
  end
  j.x.g = nil
end

local function retry(j)
  local from = j.state
  if not claim_again(j) then
    return KEY_TAKEN
  end
  waive(j)
  j.run_at = now
  job_move(j, j.x.w and HELD or READY)
  move_add(j, from)
  return CHANGED
end

local function run_now(j)
  -- One that is due keeps the place it would have had.
  if j.run_at <= now then
    job_move(j, READY, 0)
  else
    job_put_off(j, now)
  end
  move_add(j, SCHEDULED)
end

local function edit(j)
  local from = j.state
  job_save(j)
  j.data = data or j.data
  j.options = options or j.options
  j.tries = tries or j.tries
  if prio then
    job_reorder(j, prio)
  end
  if run_at and is_waiting(j) then
    job_put_off(j, math.max(run_at, now))
  end
  if j.state ~= from then
    move_add(j, from)
  elseif not is_final(from) then
    tell_job('job:rescheduled', j)
  end
end

-- It lives in another store now: nothing follows. Its batch goes with the last of its jobs.
local function take_out(j)
  local batch = j.x.b
  job_drop(j, true)
  if batch and call('ZCARD', P .. 'members:' .. batch) == 0 then
    batch_drop(batch)
  end
end

local function change(j)
  local answer = CHANGED
  if not can(j) then
    return WRONG_STATE
  end
  if kind == CANCEL or (kind == DELETE and not is_final(j.state)) then
    cancel(j)
  elseif kind == RETRY then
    answer = retry(j)
  elseif kind == RUN_NOW then
    run_now(j)
  elseif kind == EDIT then
    edit(j)
  elseif kind == MOVED then
    take_out(j)
  end
  follow()
  if kind == DELETE then
    job_drop(j, true)
  end
  return answer
end

-- ------------------------------------------------------------------ all jobs

local changed, matched_n, changed_n, more = {}, 0, 0, 0

local function change_ids()
  jobs_read(ids)
  for i = 1, #ids do
    local j = job_read(ids[i])
    changed[i] = j and change(j) or NO_SUCH_JOB
    changed_n = changed_n + (changed[i] == CHANGED and 1 or 0)
  end
  matched_n = #ids
end

-- A follow-up of this call may have brought a job to where it was to go.
local function is_there_already(j)
  return (kind == CANCEL and j.state == CANCELLED) or (kind == RETRY and j.state == HELD)
end

-- Those that are meant when the call begins.
local function candidates()
  local list = {}
  each_by_order(function(j)
    local is_meant = can(j) and filter_matches(filter, j)
    list[#list + 1] = is_meant and j or nil
    return is_meant
  end)
  return list
end

local function change_filtered()
  local list = candidates()
  for i = 1, #list do
    if max > 0 and changed_n == max then
      more = 1
      return
    end
    matched_n = matched_n + 1
    if is_there_already(list[i]) or change(list[i]) == CHANGED then
      changed_n = changed_n + 1
    end
  end
end

if filter then
  change_filtered()
else
  change_ids()
end
return finish(pack(changed, matched_n, changed_n, more, moves))
