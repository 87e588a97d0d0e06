#!lua flags=no-writes
-- needs: findings
-- check_batches.lua: the counts of some batches, against their members. ARGV: now, number of the batch to go on behind.
local gone = begin()
if gone then return gone end
local MEMBERS = 5000 -- about so many a step; one batch is looked at whole

local function check_batch(b)
  local pending, id = 0, id_text(b.iid)
  local members = members_of(b.iid)
  for i = 1, #members do
    local member = job_read(members[i])
    if not member then
      find("batch '%s' has a member that is not there", id)
    elseif not is_final(member.state) then
      pending = pending + 1
    end
  end
  if pending ~= b.pending then
    find("batch '%s' counts %d unfinished members and has %d", id, b.pending, pending)
  end
  if (b.pending == 0) ~= (b.ended ~= 0) then
    find("batch '%s' has %d unfinished members and ended at %s", id, b.pending, text_of(b.ended))
  end
  if b.failed + b.cancelled_n + b.pending > b.total then
    find("batch '%s' has more members in its counts than in all", id)
  end
  if (b.ended ~= 0) ~= (call('ZSCORE', P .. 'batches:over', b.iid) ~= false) then
    find("batch '%s' ended at %s and is not listed so", id, text_of(b.ended))
  end
  return #members
end

local start, looked = ARGV[2] == '' and '-inf' or '(' .. ARGV[2], 0
for _, iid in ipairs(call('ZRANGE', P .. 'batches:order', start, '+inf', 'BYSCORE', 'LIMIT', 0, 100)) do
  local b = batch_read(iid)
  if not b then
    find("batch '%s' is listed and not there", id_text(iid))
    return found('')
  end
  looked = looked + check_batch(b) + 1
  if looked >= MEMBERS then
    return found(text_of(b.seq))
  end
  start = text_of(b.seq)
end
return found(looked >= 100 and start or '')
