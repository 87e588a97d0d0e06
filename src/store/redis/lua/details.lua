#!lua flags=no-writes
-- needs: look follow
-- details.lua: jobs with their history and those they wait for or that wait for them. ARGV: now, how many bytes are enough
-- (0: no bound), ids. Answers five a job: itself ('': it is not there), its attempts, its parents, its children, what it asks
-- of the store.
local gone = begin()
if gone then return gone end

-- A batch is RUNNING until it has ended, and FAILED when a member did not succeed.
local function batch_state(b)
  if b.ended == 0 then
    return RUNNING
  end
  return (b.failed > 0 or b.cancelled_n > 0) and FAILED or COMPLETED
end

local function edges_shown(j, edges, is_parent)
  local rows = {}
  for i, e in ipairs(edges) do
    local iid = is_parent and e.parent or e.child
    local is_batch = is_parent and e.is_batch == 1
    local other = is_batch and batch_read(iid) or job_read(iid)
    local state, name, result = is_batch and batch_state(other) or other.state, '', ''
    if not is_batch then
      name, result = other.name, is_parent and other.x.r or ''
    end
    rows[i] = pack(iid, is_batch, e.state == SATISFIED, e.on, state, name, result, is_parent and j.x.g == e.number)
  end
  return pack(rows)
end

-- Its key, and until when it holds it; the limits it brought; whether it has a hook, and that is due.
local function asks_shown(j)
  local x, held_until = j.x, 0
  local claim = x.uk and call('HGET', claims_key, x.uk)
  if claim then
    local holder, ends = unpack_all(claim)
    held_until = holder == j.iid and ends > now and ends or 0
  end
  return pack(x.uk or false, x.ut or 0, x.uu or 0, held_until, x.l or {}, x.h == 1, x.k == 1)
end

local function shown(j)
  if not j then
    return {'', '', '', '', ''}
  end
  return {job_shown(j, true), pack(attempts_of(j)), edges_shown(j, edges_of(P .. 'up:' .. j.iid), true),
    edges_shown(j, edges_of(P .. 'down:' .. j.iid), false), asks_shown(j)}
end

local answer, bytes, enough = {}, 0, tonumber(ARGV[2])
for i = 3, #ARGV do
  if enough > 0 and bytes > enough then
    break
  end
  for _, part in ipairs(shown(job_read(ARGV[i]))) do
    answer[#answer + 1] = part
    bytes = bytes + #part
  end
end
return answer
