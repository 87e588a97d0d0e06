#!lua
-- needs: push
-- load.lua: what another store held, as it was there: nothing follows from it and nothing is told.
--
-- ARGV[2]: schedules, batches, how many jobs; each job is an argument: as it is pushed (parts/push.lua), then {state,
-- attempts, created, ended, worker, error, result, its key is held until, 1 when its hook is due}, its attempts as they are
-- stored, its parents {id, 1 when that is a batch, on, 1 when satisfied, 1 when its end has cancelled the job}.
local refused = begin()
if refused then
  return refused
end
local LAST_SLOT, DONE = 3, 0
local INSERTED, DUPLICATE = 0, 1
local schedules, batches_given, n = unpack_all(ARGV[2])
local given, list, ids = {}, {}, {}
for i = 1, n do
  local from, rest, attempts, parents = unpack_all(ARGV[2 + i])
  list[i] = {from = from, rest = rest, attempts = attempts, parents = parents}
  ids[i] = from[1]
end
jobs_read(ids)

-- ------------------------------------------------------------------ before anything is written

for i = 1, #batches_given do
  given[batches_given[i][1]] = true
end
for i = 1, n do
  local iid = list[i].from[10]
  if iid ~= '' and not given[iid] and not batch_read(iid) then
    return fail('ENOTFOUND', "there is no batch '" .. id_text(iid) .. "'")
  end
end

-- ------------------------------------------------------------------ schedules, batches

-- One that has fired since stays: a slot never fires twice.
local function schedule_load(name, row)
  local old = call('HGET', P .. 'schedules', name)
  if not old or unpack_all(old)[LAST_SLOT] <= row[LAST_SLOT] then
    call('HSET', P .. 'schedules', name, pack(row))
    wake(WAIT_SCHEDULES)
  end
end

local function batch_load(row)
  if not batch_read(row[1]) then
    local b = batch_make(row[1], row[2], row[3], row[4])
    b.cancelled, b.total, b.pending, b.failed, b.cancelled_n, b.created, b.ended = unpack(row, 5, 11)
  end
end

-- ------------------------------------------------------------------ jobs

-- The attempt that completed a job is kept with the job.
local function attempts_load(j, attempts)
  local last_n = #attempts
  if j.state == COMPLETED and last_n > 0 and attempts[last_n][7] == DONE then
    j.x.a = pack(attempts[last_n])
    last_n = last_n - 1
  end
  for i = 1, last_n do
    attempt_add(j, pack(attempts[i]))
  end
end

local function some(text)
  return text ~= '' and text or nil
end

local function job_load(from, rest)
  local j = job_new(from)
  local x = j.x
  j.run_at = from[8]
  j.state, j.attempts, j.created = rest[1], rest[2], rest[3]
  x.f = rest[4] > 0 and rest[4] or nil
  x.wk, x.e, x.r = some(rest[5]), some(rest[6]), some(rest[7])
  if from[10] ~= '' then
    x.b = from[10]
    flag_set(j, F_BATCH)
  end
  return j
end

-- A key that another job holds stays with it.
local function key_load(j, until_ms)
  if j.x.uk and until_ms > now and not claim_find(j.x.uk) then
    claim_write(j.x.uk, j.iid, until_ms, 0)
  end
end

local function job_insert(what)
  local j = job_load(what.from, what.rest)
  jobs[j.iid] = j
  j.seq = seq_take(j.iid)
  attempts_load(j, what.attempts)
  queue_make(j.queue)
  place_enter(j)
  if j.x.b then
    call('ZADD', P .. 'members:' .. j.x.b, j.seq, j.iid)
  end
  key_load(j, what.rest[8])
  if what.rest[9] == 1 then
    hook_due(j)
  end
  job_save(j)
  return j
end

-- ------------------------------------------------------------------ edges

-- The other end of each, or nil when one of them is not there yet.
local function parents_find(wanted)
  local found = {}
  for i = 1, #wanted do
    local iid, is_batch = wanted[i][1], wanted[i][2] == 1
    found[i] = is_batch and batch_read(iid) or not is_batch and job_read(iid) or nil
    if not found[i] then
      return nil
    end
  end
  return found
end

local function edge_load(j, parent, wanted)
  local is_batch, on = wanted[2] == 1, wanted[3]
  local state = is_batch and edge_by_batch(on, parent) or not is_batch and edge_by_job(on, parent.state)
  edge_attach(j, parent.iid, is_batch, on, wanted[4] == 1 and SATISFIED or state)
  if wanted[5] == 1 then
    j.x.g = text_of(M.start)
  end
  if not is_batch then
    flag_set(parent, F_EDGES)
    job_save(parent)
  end
end

local function edges_load(iid, wanted)
  local j = job_read(iid)
  local parents = #wanted > 0 and #edges_of(P .. 'up:' .. iid) == 0 and parents_find(wanted)
  for i = 1, parents and #parents or 0 do
    edge_load(j, parents[i], wanted[i])
  end
end

-- ------------------------------------------------------------------ all of it

for i = 1, #schedules do
  schedule_load(schedules[i][1], schedules[i][2])
end
for i = 1, #batches_given do
  batch_load(batches_given[i])
end
local answers = {}
for i = 1, n do
  local known = job_read(ids[i])
  local j = known or job_insert(list[i])
  answers[i] = {known and DUPLICATE or INSERTED, j.iid, j.state}
end
for i = 1, n do
  edges_load(ids[i], list[i].parents)
end
return finish(pack(answers))
