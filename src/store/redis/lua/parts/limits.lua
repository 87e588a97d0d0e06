-- needs: places
-- limits.lua: rate and concurrency. A rate is an exact sliding window: the zset `starts:NAME\0KEY` of the times of starts,
-- and the hash `rates` that says how long a start matters to anybody. `limits` has those set in the store: name → {kind,
-- scope, target, n, per}; kind: 0 rate, 1 concurrency; scope: 0 queue, 1 job, 2 key.
local RATE, CONCURRENCY = 0, 1
local SCOPE_QUEUE, SCOPE_JOB = 0, 1
local limits_set, limits_by_name

local function limits_read()
  if limits_set then
    return
  end
  limits_set, limits_by_name = {}, {}
  local rows = M.limits > 0 and call('HGETALL', P .. 'limits') or {}
  for i = 1, #rows, 2 do
    local l = {name = rows[i], key = ''}
    l.kind, l.scope, l.target, l.n, l.per = unpack_all(rows[i + 1])
    limits_set[#limits_set + 1] = l
    limits_by_name[l.name] = l
  end
end

-- The name of a job without case and separators: one job in any spelling.
local name_keys = {}

local function name_key(name)
  local key = name_keys[name]
  if not key then
    key = string.lower((string.gsub(name, '[-_.:/]', '')))
    name_keys[name] = key
  end
  return key
end

local function aims_at(l, j)
  if l.scope == SCOPE_QUEUE then
    return l.target == j.queue
  end
  return l.scope == SCOPE_JOB and name_key(l.target) == name_key(j.name)
end

local function brings(j, name, key)
  for i = 1, j.x.l and #j.x.l or 0 do
    if j.x.l[i][1] == name and j.x.l[i][2] == key then
      return true
    end
  end
  return false
end

-- What applies to the job: its own limits, with the numbers that are set; then those set for its queue and name, unless
-- it brings them along under the key ''.
local NO_LIMITS = {}

local function limits_of(j)
  if M.limits == 0 and not j.x.l then
    return NO_LIMITS
  end
  local list = {}
  limits_read()
  for i = 1, j.x.l and #j.x.l or 0 do
    local use = j.x.l[i]
    local numbers = limits_by_name[use[1]]
    list[i] = {name = use[1], key = use[2], kind = numbers and numbers.kind or use[3], n = numbers and numbers.n or use[4],
               per = numbers and numbers.per or use[5]}
  end
  for i = 1, #limits_set do
    if aims_at(limits_set[i], j) and not brings(j, limits_set[i].name, '') then
      list[#list + 1] = limits_set[i]
    end
  end
  return list
end

-- ------------------------------------------------------------------ counting

local running_n = {}

local function counts_under(j, l)
  return (l.scope and aims_at(l, j)) or brings(j, l.name, l.key)
end

-- RUNNING jobs that a limit set for a queue or a name counts: nobody keeps that number. Read once a call.
local function running_read(l)
  local n = 0
  leases_read()
  for _, lease in pairs(leases) do
    if lease then
      jobs_read(lease.jobs)
      for i = 1, #lease.jobs do
        local j = lease.has_job[lease.jobs[i]] and job_read(lease.jobs[i])
        if j and j.state == RUNNING and counts_under(j, l) then
          n = n + 1
        end
      end
    end
  end
  return n
end

local function running_of(l)
  local field = (l.scope and 's' or 'k') .. l.name .. '\0' .. l.key
  local entry = running_n[field]
  if not entry then
    entry = {limit = l, n = l.scope and running_read(l) or tonumber(call('HGET', P .. 'holds', l.name .. '\0' .. l.key) or 0)}
    running_n[field] = entry
  end
  return entry.n
end

local function starts_key(l)
  return P .. 'starts:' .. l.name .. '\0' .. l.key
end

-- Whether the limit lets one more start; if not, when it may, nil when only the end of another job can tell.
local function limit_allows(l)
  if l.kind == CONCURRENCY then
    return running_of(l) < l.n
  end
  -- The n-th last start has to leave the window; those that the clock puts later count as well.
  local last = call('ZREVRANGE', starts_key(l), text_of(l.n - 1), text_of(l.n - 1), 'WITHSCORES')
  local at = last[2] and tonumber(last[2]) + l.per or 0
  return at <= now, at
end

-- May the job start now? If not: when it may, 0 when only the end of another job can tell; and whether that holds for all
-- of its lane: every limit but one that is set for jobs of its name.
local function limits_allow(list)
  local own, common = {is_known = true, at = 0}, {is_known = true, at = 0}
  for i = 1, #list do
    local is_allowed, at = limit_allows(list[i])
    if not is_allowed then
      local held = list[i].scope == SCOPE_JOB and own or common
      held.is_held = true
      held.is_known = held.is_known and at
      held.at = math.max(held.at, at or 0)
    end
  end
  if common.is_held then
    return false, common.is_known and common.at or 0, true
  end
  return not own.is_held, own.is_known and own.at or 0, false
end

-- Notes `n` starts, and forgets those that matter to nobody any more.
local function starts_add(l, n)
  local key, field = starts_key(l), l.name .. '\0' .. l.key
  local longest = tonumber(call('HGET', P .. 'rates', field) or 0)
  if l.per > longest then
    longest = l.per
    call('HSET', P .. 'rates', field, text_of(longest))
  end
  call('ZREMRANGEBYSCORE', key, '-inf', text_of(now - longest))
  call('ZADD', P .. 'rates:over', text_of(now + longest), field)
  for _ = 1, n do
    set('start', M.start + 1)
    call('ZADD', key, text_of(now), text_of(M.start))
  end
end

-- Notes that it starts. `j` is RUNNING already.
local function limits_start(j, list)
  for i = 1, #list do
    if list[i].kind == RATE then
      starts_add(list[i], 1)
    end
  end
  for _, entry in pairs(running_n) do
    if counts_under(j, entry.limit) then
      entry.n = entry.n + 1
    end
  end
end
