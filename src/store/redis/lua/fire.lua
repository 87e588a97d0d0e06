#!lua
-- needs: push
-- fire.lua: one slot of a schedule: stores its job, or records that there is none. ARGV: now, name, slot, next, overlap (0
-- skip, 1 allow, 2 one waiting), how many slots are recorded[, job as parts/push.lua has it].
-- Answers what became of the slot, hints, and the answer of the push in a list.
local gone = begin()
if gone then return gone end
local FIRED, ALREADY, SKIPPED, RECORDED = 0, 1, 2, 3
local ALLOW, ONE_WAITING = 1, 2
local name, slot, overlap = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[5])
local packed = call('HGET', P .. 'schedules', name)
if not packed then
  return fail('ENOTFOUND', "there is no schedule '" .. name .. "'")
end
local row = unpack_all(packed) -- {paused, next, last slot, last job, missed, spec}

local function is_overlapping()
  local last = row[4] ~= '' and overlap ~= ALLOW and job_read(row[4])
  if not last or is_final(last.state) then
    return false
  end
  return overlap ~= ONE_WAITING or last.state ~= RUNNING
end

if slot <= row[3] then
  return finish({ALREADY, hints(), pack({})})
end
local fired, answers = FIRED, {}
if not ARGV[7] then
  fired = RECORDED
elseif row[1] == 1 or is_overlapping() then
  fired = SKIPPED
end
if fired == FIRED then
  local plan, why = plan_make({unpack_all(ARGV[7])}, {})
  if not plan then
    return why
  end
  answers = plan_carry_out(plan)
  row[4] = answers[1][2]
else
  row[5] = row[5] + (fired == RECORDED and math.max(tonumber(ARGV[6]), 1) or 1)
end
row[3], row[2] = slot, tonumber(ARGV[4])
call('HSET', P .. 'schedules', name, pack(row))
return finish({fired, hints(), pack(answers)})
