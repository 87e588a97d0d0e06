-- needs: records
-- look.lua: a job as it is shown, packed for look.c.
local function attempts_of(j)
  local rows = has_flag(j, F_ATTEMPTS) and call('LRANGE', P .. 'attempts:' .. j.iid, 0, -1) or {}
  if j.x.a then
    rows[#rows + 1] = j.x.a
  end
  return rows
end

local function attempt_last(j)
  if j.x.a then
    return j.x.a
  end
  return has_flag(j, F_ATTEMPTS) and call('LINDEX', P .. 'attempts:' .. j.iid, -1) or nil
end

-- Running: since when it is reserved; else when the last attempt that is kept began.
local function started_of(j, lease)
  if lease then
    return lease.since
  end
  local last = j.attempts > 0 and attempt_last(j)
  return last and unpack_all(last)[2] or 0
end

local function job_shown(j, with_data)
  local x = j.x
  local lease = j.state == RUNNING and lease_of(j.iid) or nil
  local progress = lease and call('HGET', P .. 'progress', j.iid)
  local percent, note = -1, ''
  if progress then
    percent, note = unpack_all(progress)
  end
  return pack(j.seq, j.iid, j.state, j.prio, j.attempts, j.tries, j.run_at, j.created, j.name, j.queue,
    lease and lease.worker or x.wk or '', started_of(j, lease), x.f or 0, x.e or '', has_flag(j, F_CANCEL), x.w or 0,
    x.b or '', percent, note, x.t or {}, with_data and j.data or '', with_data and j.options or '',
    with_data and x.r or '')
end
