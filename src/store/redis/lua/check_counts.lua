#!lua flags=no-writes
-- needs: findings limits
-- check_counts.lua: what is counted, against the places that jobs are in: in one step, for counts change with every call.
local gone = begin()
if gone then return gone end

local function sum(list)
  local n = 0
  for i = 1, #list do
    n = n + tonumber(list[i])
  end
  return n
end

-- What runs, by queue, and what of it brings limits; a job is in one lease at most.
local running, holds = {}, {}
local function check_leases()
  local seen = {}
  leases_read()
  for token, lease in pairs(leases) do
    if not call('ZSCORE', deadlines_key, text_of(token)) then
      find('lease %s has no end', text_of(token))
    end
    jobs_read(lease.jobs)
    for i = 1, #lease.jobs do
      local iid = lease.jobs[i]
      local j = job_read(iid)
      if seen[iid] then
        find("job '%s' is in two leases", id_text(iid))
      elseif not j or j.state ~= RUNNING then
        find("job '%s' is %s and has a lease", id_text(iid), j and STATE_NAMES[j.state] or 'not there')
      else
        running[j.queue] = (running[j.queue] or 0) + 1
      end
      seen[iid] = true
    end
  end
  if call('ZCARD', deadlines_key) ~= call('HLEN', leases_key) then
    find('%d leases have an end, and there are %d', call('ZCARD', deadlines_key), call('HLEN', leases_key))
  end
end

local function check_holds()
  for iid in pairs(token_by_job) do
    local j, seen = job_read(iid), {}
    for _, use in ipairs(j and j.state == RUNNING and j.x.l or {}) do
      local field = use[1] .. '\0' .. use[2]
      if not seen[field] then
        seen[field] = true
        holds[field] = (holds[field] or 0) + 1
      end
    end
  end
  local kept = call('HGETALL', P .. 'holds')
  for i = 1, #kept, 2 do
    local n = holds[kept[i]] or 0
    if n ~= tonumber(kept[i + 1]) then
      find("limit '%s' counts %s running jobs of a key and has %d", string.match(kept[i], '^[^%z]*'), kept[i + 1], n)
    end
    holds[kept[i]] = nil
  end
  for field, n in pairs(holds) do
    find("limit '%s' counts no running jobs of a key and has %d", string.match(field, '^[^%z]*'), n)
  end
end

local jobs_n, hooks_n = 0, 0
local function check_queue(queue)
  local kept, ready = call('HMGET', P .. 'q:' .. queue, 0, 1, 2, 3, 4, 5, 6), 0
  for _, prio in ipairs(call('ZRANGE', P .. 'prio:' .. queue, 0, -1)) do
    ready = ready + line_length('ready:' .. prio .. ':' .. queue)
  end
  local has = {[SCHEDULED] = call('ZCARD', P .. 'scheduled:' .. queue), [READY] = ready, [RUNNING] = running[queue] or 0,
    [COMPLETED] = line_length('done:' .. queue), [FAILED] = call('ZCARD', P .. 'ended:5:' .. queue),
    [CANCELLED] = call('ZCARD', P .. 'ended:6:' .. queue)}
  for state = HELD, CANCELLED do
    local n = tonumber(kept[1 + state] or 0) or 0
    jobs_n = jobs_n + n
    if has[state] and has[state] ~= n then
      find("queue '%s' counts %d %s jobs and has %d", queue, n, STATE_NAMES[state], has[state])
    end
  end
  hooks_n = hooks_n + call('ZCARD', P .. 'hooks:' .. queue)
end

check_leases()
check_holds()
for _, queue in ipairs(call('ZRANGE', P .. 'queues', 0, -1)) do
  check_queue(queue)
end
local there = call('HLEN', jobs_key)
if jobs_n ~= there then
  find('the queues count %d jobs, and there are %d', jobs_n, there)
end
if sum(call('HVALS', live_key)) ~= there then
  find('%d jobs have a number, and there are %d', sum(call('HVALS', live_key)), there)
end
if hooks_n ~= M.hooks then
  find('%d hooks are counted as due, and there are %d', M.hooks, hooks_n)
end
if call('HLEN', P .. 'limits') ~= M.limits then
  find('%d limits are counted, and there are %d', M.limits, call('HLEN', P .. 'limits'))
end
return found('')
