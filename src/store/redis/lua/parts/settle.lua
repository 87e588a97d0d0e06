-- needs: follow limits
-- settle.lua: outcomes of attempts. Only a job that is RUNNING under the outcome's token changes; to all others it says
-- LOST, however often they are settled.
--
-- An outcome: the fields below, in their order. unique {key, ttl, until}, limits as in push.lua.
local O_TOKEN, O_KEY, O_ID, O_KIND, O_RUN_AT, O_STARTED, O_ENDED, O_ERROR, O_LOG, O_RESULT, O_CAUSE, O_EXIT, O_SIGNAL, O_RSS,
  O_CPU, O_HOOK_DUE, O_NAME, O_QUEUE, O_ATTEMPT, O_UNIQUE, O_LIMITS =
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21
local OUT_DONE, OUT_RETRY, OUT_FAIL, OUT_SNOOZE, OUT_HAND_BACK, OUT_CANCELLED, OUT_HOOK_DONE, OUT_LIMIT = 0, 1, 2, 3, 4, 5, 6, 7
local SETTLED, LOST, SETTLED_DUPLICATE = 0, 1, 2

local function attempt_of(j, o, l, kind)
  return pack({j.attempts, o[O_STARTED] ~= 0 and o[O_STARTED] or l.since, o[O_ENDED] ~= 0 and o[O_ENDED] or now, l.worker, kind,
               o[O_CAUSE], o[O_EXIT], o[O_SIGNAL], o[O_RSS], o[O_CPU], o[O_ERROR], o[O_LOG]})
end

local function run_again(j, o)
  j.run_at = math.max(o[O_RUN_AT], now)
  job_move(j, SCHEDULED, o[O_KIND] == OUT_SNOOZE and -1 or 0)
end

local function hand_back(j)
  job_move(j, READY, -1)
end

local function error_set(j, text)
  j.x.e = text ~= '' and text or nil
end

local function finish_done(j, o, l)
  j.x.e = nil
  j.x.r = o[O_RESULT] ~= '' and o[O_RESULT] or nil
  local attempt = attempt_of(j, o, l, OUT_DONE)
  if has_flag(j, F_ATTEMPTS) then
    attempt_add(j, attempt)
  else
    j.x.a = attempt
  end
  job_move(j, COMPLETED, 0)
end

-- Somebody wants it stopped, and it would run again: it does not.
local function cancel_instead(j, o, l)
  if o[O_ERROR] ~= '' then
    j.x.e = o[O_ERROR]
  end
  attempt_add(j, attempt_of(j, o, l, OUT_CANCELLED))
  job_move(j, CANCELLED, 0)
  move_add(j, RUNNING)
end

local TOLD_OUTCOME = {[OUT_DONE] = 'job:completed', [OUT_RETRY] = 'job:retrying', [OUT_FAIL] = 'job:failed',
                      [OUT_SNOOZE] = 'job:snoozed', [OUT_HAND_BACK] = 'job:released', [OUT_CANCELLED] = 'job:cancelled'}

-- Before anything that follows from it.
local function tell_outcome(o, l, kind)
  if not o[O_NAME] or not TOLD_OUTCOME[kind] then
    return
  end
  local started, ended = o[O_STARTED] ~= 0 and o[O_STARTED] or l.since, o[O_ENDED] ~= 0 and o[O_ENDED] or now
  local is_later = kind == OUT_RETRY or kind == OUT_SNOOZE
  tell(TOLD_OUTCOME[kind], o[O_ID], o[O_NAME], o[O_QUEUE], o[O_ATTEMPT] + (kind == OUT_RETRY and 1 or 0),
       math.max(ended - started, 0), is_later and math.max(o[O_RUN_AT] - ended, 0) or -1, error_cut(o[O_ERROR]))
end

-- The job learns what it asks, and goes back; when another has the key, it is done without having run.
local function settle_limit(j, o, l)
  local unique, limits = o[O_UNIQUE], o[O_LIMITS]
  if #unique > 0 and not j.x.uk then
    if claim_find(unique[1]) then
      tell_outcome(o, l, OUT_DONE)
      finish_done(j, o, l)
      return SETTLED_DUPLICATE
    end
    j.x.uk, j.x.ut, j.x.uu = unique[1], unique[2], unique[3]
    flag_set(j, F_UNIQUE)
    claim_take(j)
  end
  -- It goes back to the lane of its limits, and stops to count under them as if it had done so before.
  if not j.x.l and #limits > 0 then
    j.x.l = limits
    flag_set(j, F_LIMITS)
    holds_add(j, 1)
  end
  hand_back(j)
  return SETTLED
end

local settle_by = {
  [OUT_DONE] = finish_done,
  [OUT_RETRY] = function(j, o, l)
    error_set(j, o[O_ERROR])
    attempt_add(j, attempt_of(j, o, l, OUT_RETRY))
    run_again(j, o)
  end,
  [OUT_FAIL] = function(j, o, l)
    error_set(j, o[O_ERROR])
    attempt_add(j, attempt_of(j, o, l, OUT_FAIL))
    job_move(j, FAILED, 0)
    if o[O_HOOK_DUE] == 1 then
      hook_due(j)
    end
  end,
  [OUT_SNOOZE] = run_again,
  [OUT_HAND_BACK] = hand_back,
  [OUT_CANCELLED] = function(j, o, l)
    if o[O_ERROR] ~= '' then
      j.x.e = o[O_ERROR]
    end
    attempt_add(j, attempt_of(j, o, l, OUT_CANCELLED))
    job_move(j, CANCELLED, 0)
  end,
  [OUT_HOOK_DONE] = function(j, _, l)
    hook_clear(j, l)
  end,
}

local function would_run_again(kind)
  return kind == OUT_RETRY or kind == OUT_SNOOZE or kind == OUT_HAND_BACK or kind == OUT_LIMIT
end

local function settle_one(o)
  local kind, answer = o[O_KIND], SETTLED
  local l = lease_read(o[O_TOKEN])
  if o[O_ID] == '' then
    o[O_ID] = id_by_seq(o[O_KEY]) or ''
  end
  if not l or not (kind == OUT_HOOK_DONE and l.has_hook or l.has_job)[o[O_ID]] then
    return LOST
  end
  local j = job_read(o[O_ID])
  if kind == OUT_LIMIT and not has_flag(j, F_CANCEL) then
    answer = settle_limit(j, o, l)
  elseif has_flag(j, F_CANCEL) and would_run_again(kind) then
    cancel_instead(j, o, l)
  else
    tell_outcome(o, l, kind)
    settle_by[kind](j, o, l)
  end
  follow()
  return answer
end

-- COMPLETED jobs over the number to be kept, of the queues where that may have changed.
local function keep_within(queue, keep)
  local line = 'done:' .. queue
  local n = tonumber(call('HGET', P .. 'q:' .. queue, COMPLETED) or 0)
  if counts[queue] then
    n = n + (counts[queue][COMPLETED] or 0)
  end
  if n <= keep then
    return
  end
  local w = line_walk(line, COMPLETED, finished_of)
  local j = walk_peek(w)
  while j and n > keep do
    walk_next(w, true)
    job_drop(j, false, true)
    n = n - 1
    j = walk_peek(w)
  end
  walk_end(w)
end

local function keep_all(keep)
  if keep < 0 then
    return
  end
  local queues = {}
  for queue, of_queue in pairs(counts) do
    if (of_queue[COMPLETED] or 0) > 0 then
      queues[#queues + 1] = queue
    end
  end
  for i = 1, #queues do
    keep_within(queues[i], keep)
  end
end
