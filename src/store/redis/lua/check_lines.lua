#!lua flags=no-writes
-- needs: findings
-- check_lines.lua: a stretch of the lines of READY and COMPLETED jobs: is everybody in them there, and in that state?
-- ARGV: now, packed line and place to go on from ('': the first).
local gone = begin()
if gone then return gone end
local STRETCH = 2000

local lines, states, prios = {}, {}, {}
for _, queue in ipairs(call('ZRANGE', P .. 'queues', 0, -1)) do
  for _, prio in ipairs(call('ZRANGE', P .. 'prio:' .. queue, 0, -1)) do
    lines[#lines + 1] = 'ready:' .. prio .. ':' .. queue
    states[lines[#lines]], prios[lines[#lines]] = READY, tonumber(prio)
  end
  lines[#lines + 1] = 'done:' .. queue
  states[lines[#lines]] = COMPLETED
end
table.sort(lines)

local function check_one(line, iid, is_late)
  local j = job_read(iid)
  local is_there = j and j.state == states[line] and (not prios[line] or j.prio == prios[line])
  if not is_there and (is_late or not call('HGET', P .. line .. ':gone', iid)) then
    find("job '%s' is %s and in line '%s'", id_text(iid), j and STATE_NAMES[j.state] or 'not there', line)
  end
end

local function check_line(line, from)
  local iids = call('LRANGE', P .. line, from, from + STRETCH - 1)
  jobs_read(iids)
  for i = 1, #iids do
    check_one(line, iids[i], false)
  end
  if from == 0 then
    for _, member in ipairs(call('ZRANGE', P .. line .. ':late', 0, STRETCH - 1)) do
      check_one(line, string.sub(member, 9), true)
    end
  end
  return #iids
end

local from_line, from = '', 0
if ARGV[2] ~= '' then
  from_line, from = unpack_all(ARGV[2])
end
for i = 1, #lines do
  if lines[i] >= from_line then
    local n = check_line(lines[i], lines[i] == from_line and from or 0)
    if n == STRETCH then
      return found(pack(lines[i], (lines[i] == from_line and from or 0) + n))
    end
    return found(lines[i + 1] and pack(lines[i + 1], 0) or '')
  end
end
return found('')
