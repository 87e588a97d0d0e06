#!lua flags=allow-oom
-- needs: settle
-- reap.lua: jobs whose lease is over. ARGV[2] {max, 1 when moves are wanted, 1 when every failure has its hook due, the
-- error}. Answers {ready, failed, cancelled, hooks, 1 when there are more, moves}.
local refused = begin()
if refused then
  return refused
end
local max, wants_moves, all_hooks, lease_error = unpack_all(ARGV[2])
local CAUSE_LEASE = 7
are_moves_wanted = wants_moves == 1
local ready_n, failed_n, cancelled_n, hooks_reaped, n = 0, 0, 0, 0, 0

local function reap_attempt(j, l, kind)
  attempt_add(j, pack({j.attempts, l.since, now, l.worker, kind, CAUSE_LEASE, 0, 0, 0, 0, lease_error, ''}))
end

local function reap_job(j, l)
  j.x.e = lease_error
  if has_flag(j, F_CANCEL) then
    tell_job('job:stalled', j, lease_error)
    reap_attempt(j, l, OUT_CANCELLED)
    job_move(j, CANCELLED, 0)
    cancelled_n = cancelled_n + 1
  elseif j.attempts >= j.tries then
    tell_job('job:stalled', j, lease_error)
    reap_attempt(j, l, OUT_FAIL)
    job_move(j, FAILED, 0)
    if j.x.h or all_hooks == 1 then
      hook_due(j)
    end
    failed_n = failed_n + 1
  else
    reap_attempt(j, l, OUT_RETRY)
    job_move(j, READY, 0)
    ready_n = ready_n + 1
  end
  move_add(j, RUNNING)
  follow()
end

local function reap_hook(j, l)
  hook_clear(j, l)
  hook_due(j)
  hooks_reaped = hooks_reaped + 1
end

-- Of one lease as many as there is room for; hooks were reserved first.
local function reap_lease(l)
  for i = 1, #l.hooks do
    if n < max and l.has_hook[l.hooks[i]] then
      n = n + 1
      reap_hook(job_read(l.hooks[i]), l)
    end
  end
  for i = 1, #l.jobs do
    if n < max and l.has_job[l.jobs[i]] then
      n = n + 1
      reap_job(job_read(l.jobs[i]), l)
    end
  end
end

-- The oldest lease first: that with the smallest token.
local tokens = call('ZRANGEBYSCORE', deadlines_key, '-inf', text_of(lease_now))
for i = 1, #tokens do
  tokens[i] = tonumber(tokens[i])
end
table.sort(tokens)
local more = 0
for i = 1, #tokens do
  local l = lease_read(tokens[i])
  if l and n < max then
    jobs_read(l.jobs)
    reap_lease(l)
  end
  if l and l.left > 0 then
    more = 1
  end
end
return finish(pack(ready_n, failed_n, cancelled_n, hooks_reaped, more, moves))
