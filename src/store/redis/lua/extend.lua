#!lua flags=allow-oom
-- needs: records leases
-- extend.lua: ARGV[2] {lease ms, tokens}, then one argument a progress {token, key, id, percent, note}. Answers {until,
-- leases, progress, cancelled}, cancelled a list of {token, key, id}.
local refused = begin()
if refused then
  return refused
end
local SETTLED, LOST = 0, 1
local lease_ms, tokens = unpack_all(ARGV[2])
local answers, progress, cancelled = {}, {}, {}

local function extend(l)
  if lease_now + lease_ms > l.until_ms then
    l.until_ms = lease_now + lease_ms
    l.is_changed = true
  end
  jobs_read(l.jobs)
  for i = 1, #l.jobs do
    local j = job_read(l.jobs[i])
    if j and has_flag(j, F_CANCEL) then
      cancelled[#cancelled + 1] = {l.token, j.seq, j.iid}
    end
  end
end

for i = 1, #tokens do
  local l = lease_read(tokens[i])
  answers[i] = l and SETTLED or LOST
  if l then
    extend(l)
  end
end
for i = 3, #ARGV do
  local p = unpack_all(ARGV[i])
  local l, iid = lease_read(p[1]), p[3] ~= '' and p[3] or id_by_seq(p[2])
  progress[i - 2] = LOST
  if l and iid and l.has_job[iid] then
    call('HSET', P .. 'progress', iid, pack(p[4], p[5]))
    l.is_plain, l.is_changed = 0, true
    progress[i - 2] = SETTLED
  end
end
return finish(pack(now + lease_ms, answers, progress, cancelled))
