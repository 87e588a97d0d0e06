-- needs: records
-- filter.lua: which jobs a filter means. Packed as states, queue, name, tag, batch, search, since, until; what is empty or
-- 0 asks for nothing. `states` has a bit for each.
local function filter_of(packed)
  local f = {}
  f.states, f.queue, f.name, f.tag, f.batch, f.search, f.since, f.ends = unpack_all(packed)
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
