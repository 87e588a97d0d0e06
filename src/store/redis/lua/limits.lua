#!lua flags=no-writes
-- needs: limits
-- limits.lua: all limits that are set, each with its use and how many READY jobs it is known to hold back. ARGV: now.
local gone = begin()
if gone then return gone end
local LOOKS = 10000 -- at READY jobs, so that a long queue holds up nobody

-- Of the fullest key: starts in the window, or keys that run.
local function used_of(l)
  local most, begins = 0, l.name .. '\0'
  if l.kind == RATE then
    for _, field in ipairs(call('HKEYS', P .. 'rates')) do
      if string.sub(field, 1, #begins) == begins then
        most = math.max(most, call('ZCOUNT', P .. 'starts:' .. field, '(' .. text_of(now - l.per), '+inf'))
      end
    end
    return most
  end
  if l.scope == SCOPE_QUEUE or l.scope == SCOPE_JOB then
    most = running_of(l)
  end
  local holds = call('HGETALL', P .. 'holds')
  for i = 1, #holds, 2 do
    if string.sub(holds[i], 1, #begins) == begins then
      most = math.max(most, tonumber(holds[i + 1]))
    end
  end
  return most
end

local waiting, looks = {}, 0

local function look_at(j)
  local list, seen = limits_of(j), {}
  if #list == 0 or limits_allow(list) then
    return
  end
  for i = 1, #list do
    local name = list[i].name
    if not seen[name] then
      seen[name] = true
      waiting[name] = (waiting[name] or 0) + 1
    end
  end
end

local function look_along(line)
  local w = line_walk(line, READY, run_at_of)
  local j = walk_peek(w)
  while j and looks < LOOKS do
    looks = looks + 1
    look_at(j)
    walk_next(w, false)
    j = walk_peek(w)
  end
end

limits_read()
if #limits_set > 0 then
  for _, queue in ipairs(call('ZRANGE', P .. 'queues', 0, -1)) do
    for _, prio in ipairs(call('ZRANGE', P .. 'prio:' .. queue, 0, -1)) do
      look_along('ready:' .. prio .. ':' .. queue)
    end
  end
end
local reply = {}
for i, l in ipairs(limits_set) do
  reply[i] = {l.name, l.kind, l.scope, l.target, l.n, l.per, used_of(l), waiting[l.name] or 0}
end
return pack(reply)
