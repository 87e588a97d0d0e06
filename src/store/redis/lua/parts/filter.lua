-- needs: records
-- filter.lua: which jobs a filter means. Packed as states, queue, name, tag, batch, search, since, until; what is empty or
-- 0 asks for nothing. `states` has a bit for each.
local function filter_of(packed)
  local f = {}
  f.states, f.queue, f.name, f.tag, f.batch, f.search, f.since, f.ends = unpack_all(packed)
  f.texts = {}
  for _, text in ipairs({f.queue, f.name, f.tag, f.batch}) do
    f.texts[#f.texts + 1] = text ~= '' and text or nil
  end
  f.may_be_uuid = string.find(f.search, '^[%x-]+$') ~= nil
  return f
end

local function has_tag(j, tag)
  for _, one in ipairs(j.x.t or {}) do
    if one == tag then
      return true
    end
  end
  return false
end

local function is_found(j, search)
  return string.find(id_text(j.iid), search, 1, true) or string.find(j.data, search, 1, true) or
    string.find(j.x.e or '', search, 1, true)
end

local function is_in_time(f, j)
  local at = (j.state == FAILED or j.state == CANCELLED) and j.x.f or j.created
  return (f.since == 0 or at >= f.since) and (f.ends == 0 or at < f.ends)
end

local function filter_matches(f, j)
  if f.states ~= 0 and bit.band(f.states, bit.lshift(1, j.state)) == 0 then
    return false
  end
  if (f.queue ~= '' and f.queue ~= j.queue) or (f.name ~= '' and f.name ~= j.name) or (f.tag ~= '' and not has_tag(j, f.tag)) then
    return false
  end
  if f.batch ~= '' and f.batch ~= j.x.b then
    return false
  end
  return is_in_time(f, j) and (f.search == '' or is_found(j, f.search))
end

-- ------------------------------------------------------------------ many at once

-- May the job of this row match? Its state is its first byte, and every text that is asked for stands in it somewhere: to
-- find out so much takes a tenth of making a table of it.
local function filter_may(f, iid, row)
  local state, flags = string.byte(row, 1, 2)
  if f.states ~= 0 then
    local states = bit.lshift(1, state)
    if state == READY and flags == 0 then
      states = states + bit.lshift(1, RUNNING)
    end
    if bit.band(f.states, states) == 0 then
      return false
    end
  end
  for i = 1, #f.texts do
    if not string.find(row, f.texts[i], 1, true) then
      return false
    end
  end
  return f.search == '' or f.may_be_uuid or string.find(row, f.search, 1, true) or string.find(iid, f.search, 1, true)
end

-- Those of the jobs that match, each at the place of its id; false: it does not. For scripts that only look.
local function filter_find(f, iids)
  local found = call_many(iids, 'HMGET', jobs_key)
  for i = 1, #iids do
    local j = found[i] and filter_may(f, iids[i], found[i]) and job_decode(iids[i], found[i])
    if j then
      run_if_leased(j)
    end
    found[i] = j and filter_matches(f, j) and j or false
  end
  return found
end
