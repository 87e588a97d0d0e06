-- needs: call tell
-- moves.lua: what followed from a call: told to those who follow, and listed in the answer when the caller wants it.
local moves, are_moves_wanted = {}, false

local TOLD_TO = {[CANCELLED] = 'job:cancelled', [FAILED] = 'job:failed', [HELD] = 'job:held'}

local function told_move(from, to)
  if TOLD_TO[to] then
    return TOLD_TO[to]
  end
  if from == RUNNING then
    return 'job:stalled'
  end
  if from == HELD then
    return 'job:released'
  end
  return from >= COMPLETED and 'job:retried' or 'job:rescheduled'
end

local function move_add(j, from)
  -- What was running and was not settled has been reaped.
  local is_reaped = from == RUNNING and j.state ~= CANCELLED
  tell_job(told_move(from, j.state), j, is_reaped and j.x.e or '')
  if are_moves_wanted then
    moves[#moves + 1] = {j.iid, j.name, j.queue, from, j.state, j.attempts}
  end
end
