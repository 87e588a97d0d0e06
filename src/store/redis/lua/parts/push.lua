-- needs: follow
-- push.lua: storing jobs, all or nothing: first a plan, which writes nothing and can be refused; then it is carried out.
--
-- A job as it is pushed: {id, name, queue, data, options, priority, tries, run at, tags, batch, has a hook, unique, limits},
-- unique {key, ttl, until, policy} or nothing, limits a list of {name, key, kind, n, per}. An edge: {child, parent, id of
-- the parent or '', 1 when that is a batch, on}, with places in the list counted from 1. A batch: {id, name, allows
-- failures, options}.
local INSERTED, DUPLICATE, REPLACED, EXTENDED = 0, 1, 2, 3
local POLICY_IGNORE, POLICY_REPLACE, POLICY_EXTEND = 0, 1, 2

local function job_new(from)
  local x = {}
  local j = {iid = from[1], name = from[2], queue = from[3], data = from[4], options = from[5], prio = from[6], tries = from[7],
             run_at = math.max(from[8], now), created = now, attempts = 0, flags = 0, x = x, state = HELD}
  if #from[9] > 0 then
    x.t = from[9]
  end
  if from[11] == 1 then
    x.h = 1
  end
  if #from[12] > 0 then
    x.uk, x.ut, x.uu = from[12][1], from[12][2], from[12][3]
    flag_set(j, F_UNIQUE)
  end
  if #from[13] > 0 then
    x.l = from[13]
    flag_set(j, F_LIMITS)
  end
  return j
end

-- ------------------------------------------------------------------ the plan

-- What the policy says when `holder` has the key. New jobs count as waiting.
local function plan_holder(row, holder, from)
  row.pushed, row.target = DUPLICATE, holder
  local policy = from[12][4]
  if policy ~= POLICY_IGNORE and is_waiting(holder) then
    row.pushed = policy == POLICY_EXTEND and EXTENDED or REPLACED
  end
end

local function plan_job(plan, from)
  local row = {from = from}
  local known = plan.by_id[from[1]] or job_read(from[1])
  if known then
    row.pushed, row.target = DUPLICATE, known
    return row
  end
  if #from[12] > 0 then
    local key = from[12][1]
    local iid, is_pruned = claim_find(key)
    if iid and is_pruned then
      row.pushed, row.pruned = DUPLICATE, iid
      return row
    end
    local holder = iid and job_read(iid) or plan.by_key[key]
    if holder then
      plan_holder(row, holder, from)
      return row
    end
  end
  row.pushed, row.target = INSERTED, job_new(from)
  plan.by_id[from[1]] = row.target
  if #from[12] > 0 then
    plan.by_key[from[12][1]] = row.target
  end
  return row
end

local function plan_batch(plan, iid)
  if plan.batch and plan.batch[1] == iid then
    return plan.batch
  end
  return batch_read(iid)
end

local function plan_member(plan, row)
  local iid = row.from[10]
  if iid == '' then
    return
  end
  local b = plan_batch(plan, iid)
  if not b then
    return fail('ENOTFOUND', "there is no batch '" .. id_text(iid) .. "'")
  end
  if row.pushed ~= INSERTED then
    return
  end
  if b.ended and b.ended ~= 0 then
    return fail('ECONFLICT', "batch '" .. id_text(iid) .. "' has ended: no members can be added")
  end
  row.target.x.b = iid
  flag_set(row.target, F_BATCH)
end

local function plan_edge(plan, from)
  local child, parent, iid, is_batch, on = plan.rows[from[1]], plan.rows[from[2]], from[3], from[4] == 1, from[5]
  local e = {on = on, is_batch = is_batch}
  if is_batch then
    e.parent = plan_batch(plan, iid)
  elseif iid ~= '' then
    e.parent = plan.by_id[iid] or job_read(iid)
  else
    e.parent = parent.target
    iid = parent.pruned
  end
  if not e.parent then
    return fail('ENOTFOUND', 'there is no ' .. (is_batch and 'batch' or 'job') .. " '" .. id_text(iid) .. "' to wait for")
  end
  if child.pushed == INSERTED then
    e.child = child.target
    plan.edges[#plan.edges + 1] = e
  end
end

-- The plan, or nil and an error.
local function plan_make(list, edges_wanted, batch)
  local plan = {rows = {}, by_id = {}, by_key = {}, edges = {}}
  local ids = {}
  if batch and not batch_read(batch[1]) then
    plan.batch = batch
  end
  for i = 1, #list do
    ids[i] = list[i][1]
  end
  jobs_read(ids)
  for i = 1, #list do
    plan.rows[i] = plan_job(plan, list[i])
  end
  for i = 1, #list do
    local refused = plan_member(plan, plan.rows[i])
    if refused then
      return nil, refused
    end
  end
  for i = 1, #edges_wanted do
    local refused = plan_edge(plan, edges_wanted[i])
    if refused then
      return nil, refused
    end
  end
  return plan
end

-- ------------------------------------------------------------------ carrying it out

-- The waiting holder of the key takes what the newcomer brings.
local function holder_update(row)
  local holder, from = row.target, row.from
  if row.pushed == REPLACED then
    holder.data, holder.options = from[4], from[5]
  end
  job_put_off(holder, math.max(from[8], now))
  claim_renew(holder, from[12][2])
  tell_job('job:rescheduled', holder)
end

local function job_insert(j)
  jobs[j.iid] = j
  j.seq = seq_take(j.iid)
  if j.x.w then
    j.state = HELD
  else
    j.state = j.run_at > now and SCHEDULED or READY
  end
  job_enter(j)
  if j.x.uk then
    claim_take(j)
  end
  tell('job:dispatched', j.iid, j.name, j.queue, 0, -1, j.run_at > now and j.run_at - now or -1)
end

-- A parent may have ended before: that counts at once.
local function edges_attach(plan)
  for i = 1, #plan.edges do
    local e = plan.edges[i]
    local parent = e.is_batch and batch_read(e.parent.iid or e.parent[1]) or e.parent
    local state = e.is_batch and edge_by_batch(e.on, parent) or edge_by_job(e.on, parent.state)
    edge_attach(e.child, parent.iid, e.is_batch, e.on, state)
    if not e.is_batch then
      flag_set(parent, F_EDGES)
      job_save(parent)
    end
  end
end

-- A new job that has no chance: a parent ended otherwise, or the batch is cancelled.
local function cancel_hopeless(j)
  if not is_waiting(j) then
    return
  end
  local from = j.state
  local against = has_flag(j, F_PARENTS) and edge_against(j)
  if against then
    j.x.g = against.number
    job_move(j, CANCELLED, 0)
  elseif j.x.b and batch_read(j.x.b).cancelled == 1 then
    job_move(j, CANCELLED, 0)
  end
  if j.state ~= from then
    move_add(j, from)
  end
end

-- Answers a list of {pushed, id, state}.
local function plan_carry_out(plan)
  if plan.batch then
    batch_insert(plan.batch[1], plan.batch[2], plan.batch[3], plan.batch[4])
  end
  edges_attach(plan)
  for i = 1, #plan.rows do
    local row = plan.rows[i]
    if row.pushed == INSERTED then
      job_insert(row.target)
    elseif row.pushed ~= DUPLICATE then
      holder_update(row)
    end
  end
  for i = 1, #plan.rows do
    if plan.rows[i].pushed == INSERTED then
      cancel_hopeless(plan.rows[i].target)
    end
  end
  follow()
  local answers = {}
  for i = 1, #plan.rows do
    local row = plan.rows[i]
    answers[i] = {row.pushed, row.target and row.target.iid or row.pruned, row.target and row.target.state or COMPLETED}
  end
  return answers
end
