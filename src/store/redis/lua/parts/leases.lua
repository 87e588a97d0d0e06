-- needs: call
-- leases.lua: the hash `leases`: token → since, until, worker, 1 when all its jobs are plain (quick.lua) and none was
-- written since, the queue of them all or '', ids of jobs, ids of hooks; and the zset `deadlines` of tokens.
local leases_key, deadlines_key = P .. 'leases', P .. 'deadlines'
local leases, are_all_read = {}, false
local token_by_job, token_by_hook = {}, {}

local function lease_decode(token, value)
  local l = {token = token, left = 0, has_job = {}, has_hook = {}}
  l.since, l.until_ms, l.worker, l.is_plain, l.queue, l.jobs, l.hooks = unpack_all(value)
  for i = 1, #l.jobs do
    l.has_job[l.jobs[i]] = true
    token_by_job[l.jobs[i]] = token
  end
  for i = 1, #l.hooks do
    l.has_hook[l.hooks[i]] = true
    token_by_hook[l.hooks[i]] = token
  end
  l.left = #l.jobs + #l.hooks
  return l
end

local function lease_read(token)
  local l = leases[token]
  if l == nil then
    local value = not are_all_read and call('HGET', leases_key, text_of(token))
    l = value and lease_decode(token, value) or false
    leases[token] = l
  end
  return l or nil
end

local function leases_read()
  if are_all_read then
    return
  end
  are_all_read = true
  local rows = call('HGETALL', leases_key)
  for i = 1, #rows, 2 do
    local token = tonumber(rows[i])
    if leases[token] == nil then
      leases[token] = lease_decode(token, rows[i + 1])
    end
  end
end

-- The lease that has the job, or with `is_hook` its hook; nil: none.
local function lease_of(iid, is_hook)
  local by = is_hook and token_by_hook or token_by_job
  if not by[iid] then
    leases_read()
  end
  return by[iid] and leases[by[iid]] or nil
end

local function lease_leave(l, iid, is_hook)
  local has = is_hook and l.has_hook or l.has_job
  if has[iid] then
    has[iid] = nil;
    (is_hook and token_by_hook or token_by_job)[iid] = nil
    l.left = l.left - 1
    l.is_changed = true
  end
end

local function lease_make(worker, lease_ms)
  local l = {token = token_next(), since = now, until_ms = lease_now + lease_ms, worker = worker, is_plain = 0, queue = '',
             left = 0, has_job = {}, has_hook = {}, jobs = {}, hooks = {}, is_changed = true}
  return l
end

-- Called once for a lease that is kept.
local function lease_keep(l)
  set('token', l.token)
  leases[l.token] = l
end

local function lease_add(l, iid, is_hook)
  local list, has = is_hook and l.hooks or l.jobs, is_hook and l.has_hook or l.has_job
  list[#list + 1] = iid
  has[iid] = true;
  (is_hook and token_by_hook or token_by_job)[iid] = l.token
  l.left = l.left + 1
end

local function those_left(list, has)
  local left = {}
  for i = 1, #list do
    if has[list[i]] then
      left[#left + 1] = list[i]
    end
  end
  return left
end

local function leases_write()
  local tokens = {}
  for token, l in pairs(leases) do
    if l and l.is_changed then
      tokens[#tokens + 1] = token
    end
  end
  for i = 1, #tokens do
    local l, token = leases[tokens[i]], text_of(tokens[i])
    if l.left == 0 then
      call('HDEL', leases_key, token)
      call('ZREM', deadlines_key, token)
    else
      call('HSET', leases_key, token,
           pack(l.since, l.until_ms, l.worker, l.is_plain, l.queue, those_left(l.jobs, l.has_job),
                those_left(l.hooks, l.has_hook)))
      call('ZADD', deadlines_key, text_of(l.until_ms), token)
    end
  end
end
at_end[#at_end + 1] = leases_write
