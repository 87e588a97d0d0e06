#!lua flags=allow-oom
-- needs: follow
-- batch_cancel.lua: what waits is cancelled at once; what runs is flagged, and its worker told. ARGV: now, id, id as text.
-- Answers how many at once.
local gone = begin()
if gone then return gone end
local b = batch_read(ARGV[2])
if not b then
  return fail('ENOTFOUND', "there is no batch '" .. ARGV[3] .. "'")
end
if b.ended ~= 0 then
  return finish(0)
end
local n = 0
b.cancelled = 1
batch_save(b)
for _, iid in ipairs(members_of(b.iid)) do
  local member = job_read(iid)
  local from = member.state
  if is_waiting(member) then
    job_move(member, CANCELLED, 0)
    move_add(member, from)
    n = n + 1
  elseif from == RUNNING and not has_flag(member, F_CANCEL) then
    flag_set(member, F_CANCEL)
    job_save(member)
    set('control', M.control + 1)
    wake(WAIT_CONTROL)
  end
end
follow()
return finish(n)
