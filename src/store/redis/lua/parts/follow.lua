-- needs: places
-- follow.lua: batches and edges: what the end of a job or batch means for those who wait for it.
--
-- Told one after the other from a list and not by recursion: a chain may have a million links. The list is in the order
-- in which things became true, so a cause comes before its effects.
--
-- `batches`: id → its row; `batches:order` by number, `batches:over` those that have ended, by when; `members:ID` by number.
-- `edges`: number → {child, parent, 1 when that is a batch, on, state}; on: 0 success, 1 failure, 2 end. The lists
-- `up:CHILD` and `down:PARENT` have the numbers.
local OPEN, SATISFIED, AGAINST = 0, 1, 2
local ON_SUCCESS, ON_FAILURE, ON_END = 0, 1, 2
local edges_key, batches_key = P .. 'edges', P .. 'batches'
local edges, edges_changed, batches, batches_changed = {}, {}, {}, {}

-- ------------------------------------------------------------------ batches

local function batch_read(iid)
  local b = batches[iid]
  if b == nil then
    local value = call('HGET', batches_key, iid)
    b = false
    if value then
      b = {iid = iid}
      b.seq, b.name, b.allow_failures, b.cancelled, b.total, b.pending, b.failed, b.cancelled_n, b.created, b.ended, b.options =
        unpack_all(value)
    end
    batches[iid] = b
  end
  return b or nil
end

local function batch_save(b)
  if not b.is_changed then
    b.is_changed = true
    batches_changed[#batches_changed + 1] = b
  end
end

local function batches_write()
  local rows = {}
  for i = 1, #batches_changed do
    local b = batches_changed[i]
    rows[#rows + 1] = b.iid
    rows[#rows + 1] = pack(b.seq, b.name, b.allow_failures, b.cancelled, b.total, b.pending, b.failed, b.cancelled_n, b.created,
                           b.ended, b.options)
    if b.ended ~= 0 then
      call('ZADD', P .. 'batches:over', text_of(b.ended), b.iid)
    else
      call('ZREM', P .. 'batches:over', b.iid)
    end
  end
  call_many(rows, 'HSET', batches_key)
end
at_end[#at_end + 1] = batches_write

local function batch_make(iid, name, allow_failures, options)
  local b = {iid = iid, name = name, allow_failures = allow_failures, cancelled = 0, total = 0, pending = 0, failed = 0,
             cancelled_n = 0, created = now, ended = 0, options = options, seq = seq_take('')}
  batches[iid] = b
  call('ZADD', P .. 'batches:order', b.seq, iid)
  batch_save(b)
  return b
end

-- It may have no members, and then it ends with this call: it is to be looked at.
local function batch_insert(iid, name, allow_failures, options)
  local b = batch_make(iid, name, allow_failures, options)
  line_up(batches_to_follow, b)
  return b
end

local function count_one(b, state, one)
  if not is_final(state) then
    b.pending = b.pending + one
  elseif state == FAILED then
    b.failed = b.failed + one
  elseif state == CANCELLED then
    b.cancelled_n = b.cancelled_n + one
  end
end

-- A member moves, or (from nil) comes: the counts follow.
batch_count = function(j, from, to)
  local b = batch_read(j.x.b)
  if from then
    count_one(b, from, -1)
  else
    b.total = b.total + 1
  end
  count_one(b, to, 1)
  if from and is_final(from) and not is_final(to) then
    b.cancelled = 0
    b.is_reopened = b.is_reopened or b.ended ~= 0
    b.ended = 0
  end
  if b.pending == 0 or b.is_reopened then
    line_up(batches_to_follow, b)
  end
  batch_save(b)
end

-- ------------------------------------------------------------------ edges

local function edge_by_job(on, state)
  if not is_final(state) then
    return OPEN
  end
  local holds = on == ON_END or (on == ON_SUCCESS and state == COMPLETED) or (on == ON_FAILURE and state == FAILED)
  return holds and SATISFIED or AGAINST
end

local function edge_by_batch(on, b)
  if b.ended == 0 then
    return OPEN
  end
  local succeeded = b.failed == 0 and b.cancelled_n == 0
  local holds = on == ON_END or (on == ON_SUCCESS) == succeeded
  return holds and SATISFIED or AGAINST
end

local function edge_decode(number, value)
  local e = {number = number}
  e.child, e.parent, e.is_batch, e.on, e.state = unpack_all(value)
  return e
end

-- Those of a list of numbers that are there.
local function edges_of(key)
  local numbers, unread, found = call('LRANGE', key, 0, -1), {}, {}
  for i = 1, #numbers do
    if edges[numbers[i]] == nil then
      unread[#unread + 1] = numbers[i]
    end
  end
  local values = call_many(unread, 'HMGET', edges_key)
  for i = 1, #unread do
    edges[unread[i]] = values[i] and edge_decode(unread[i], values[i]) or false
  end
  for i = 1, #numbers do
    found[#found + 1] = edges[numbers[i]] or nil
  end
  return found
end

local function edge_save(e)
  if not e.is_changed then
    e.is_changed = true
    edges_changed[#edges_changed + 1] = e
  end
end

local function edges_write()
  local rows = {}
  for i = 1, #edges_changed do
    local e = edges_changed[i]
    if not e.is_dropped then
      rows[#rows + 1] = e.number
      rows[#rows + 1] = pack(e.child, e.parent, e.is_batch, e.on, e.state)
    end
  end
  call_many(rows, 'HSET', edges_key)
end
at_end[#at_end + 1] = edges_write

local function waits_less(child)
  child.x.w = child.x.w > 1 and child.x.w - 1 or nil
end

local function edge_attach(child, parent_iid, is_batch, on, state)
  set('start', M.start + 1)
  local e = {number = text_of(M.start), child = child.iid, parent = parent_iid, is_batch = is_batch and 1 or 0, on = on, state = state}
  edges[e.number] = e
  edge_save(e)
  call('RPUSH', P .. 'up:' .. child.iid, e.number)
  call('RPUSH', P .. 'down:' .. parent_iid, e.number)
  flag_set(child, F_EDGES)
  flag_set(child, F_PARENTS)
  if state ~= SATISFIED then
    child.x.w = (child.x.w or 0) + 1
  end
  job_save(child)
end

-- `of`: the end that goes itself, and its list with it: 'up:' or 'down:'.
local function edge_drop(e, of)
  if of == 'up:' then
    call('LREM', P .. 'down:' .. e.parent, 1, e.number)
  else
    call('LREM', P .. 'up:' .. e.child, 1, e.number)
    local child = job_read(e.child)
    if child then
      if e.state ~= SATISFIED then
        waits_less(child)
      end
      if child.x.g == e.number then
        child.x.g = nil
      end
      job_save(child)
    end
  end
  e.is_dropped = true
  edges[e.number] = false
  call('HDEL', edges_key, e.number)
end

local function edges_drop(iid, of)
  local list = edges_of(P .. of .. iid)
  for i = 1, #list do
    edge_drop(list[i], of)
  end
  call('UNLINK', P .. of .. iid)
end

local function edge_against(j)
  local up = edges_of(P .. 'up:' .. j.iid)
  for i = 1, #up do
    if up[i].state == AGAINST then
      return up[i]
    end
  end
end

-- ------------------------------------------------------------------ what follows

local function release(child)
  local is_due = child.run_at <= now
  if is_due then
    child.run_at = now
  end
  job_move(child, is_due and READY or SCHEDULED, 0)
  move_add(child, HELD)
end

local function decide(e, state)
  if e.state ~= OPEN or state == OPEN then
    return
  end
  local child = job_read(e.child)
  e.state = state
  edge_save(e)
  if state == SATISFIED then
    waits_less(child)
    job_save(child)
    if child.state == HELD and not child.x.w then
      release(child)
    end
  elseif child.state == HELD then
    child.x.g = e.number
    job_move(child, CANCELLED, 0)
    move_add(child, HELD)
  end
end

-- The parent is back to life: a child that it had made CANCELLED is HELD again.
local function reopen(e)
  if e.state ~= AGAINST then
    return
  end
  local child = job_read(e.child)
  e.state = OPEN
  edge_save(e)
  if child.state ~= CANCELLED or child.x.g ~= e.number then
    return
  end
  local other = edge_against(child)
  child.x.g = other and other.number
  job_save(child)
  if other or not claim_again(child) then
    return
  end
  job_move(child, HELD)
  move_add(child, CANCELLED)
end

local function tell_children(parent_iid, is_alive, state_of)
  local down = edges_of(P .. 'down:' .. parent_iid)
  for i = 1, #down do
    if is_alive then
      reopen(down[i])
    else
      decide(down[i], state_of(down[i].on))
    end
  end
end

-- Those of a batch in order of insertion, read at once.
local function members_of(iid)
  local members = call('ZRANGE', P .. 'members:' .. iid, 0, -1)
  jobs_read(members)
  return members
end

-- Without allowFailures the first that failed stops those that have not started.
local function cancel_siblings(b)
  b.cancelled = 1
  batch_save(b)
  local members = members_of(b.iid)
  for i = 1, #members do
    local member = job_read(members[i])
    if member and is_waiting(member) then
      local from = member.state
      job_move(member, CANCELLED, 0)
      move_add(member, from)
    end
  end
end

local function follow_job(j)
  if has_flag(j, F_EDGES) then
    tell_children(j.iid, not is_final(j.state), function(on) return edge_by_job(on, j.state) end)
  end
  if j.state == FAILED and j.x.b then
    local b = batch_read(j.x.b)
    if b.allow_failures == 0 then
      cancel_siblings(b)
    end
  end
end

local function follow_batch(b)
  local state_of = function(on) return edge_by_batch(on, b) end
  if b.is_reopened then
    b.is_reopened = false
    tell_children(b.iid, true, state_of)
  end
  if b.pending == 0 and b.ended == 0 then
    b.ended = now
    batch_save(b)
    wake(WAIT_ENDED)
    tell('batch:ended', b.iid, b.name, '')
    tell_children(b.iid, false, state_of)
  end
end

-- Until there is nobody left to tell.
local function follow()
  while true do
    local j = next_up(jobs_to_follow)
    local b = not j and next_up(batches_to_follow)
    if j then
      follow_job(j)
    elseif b then
      follow_batch(b)
    else
      return
    end
  end
end

-- One without members is forgotten.
local function batch_drop(iid)
  edges_drop(iid, 'down:')
  call('HDEL', batches_key, iid)
  call('ZREM', P .. 'batches:order', iid)
  call('ZREM', P .. 'batches:over', iid)
end

-- ------------------------------------------------------------------ the end of a job's row

-- Takes it out of everything. Its key goes as well when it is deleted, and stays held when it is pruned.
local function job_drop(j, is_deleted, is_walked)
  hook_clear(j)
  place_leave(j, is_walked)
  if has_flag(j, F_EDGES) then
    edges_drop(j.iid, 'up:')
    edges_drop(j.iid, 'down:')
  end
  if j.x.b then
    call('ZREM', P .. 'members:' .. j.x.b, j.iid)
  end
  if is_deleted then
    claim_release(j)
  else
    claim_orphan(j)
  end
  if has_flag(j, F_ATTEMPTS) then
    call('UNLINK', P .. 'attempts:' .. j.iid)
  end
  live_add(j.seq, -1)
  j.is_dropped = true
  job_save(j)
  jobs[j.iid] = false
end
