#!lua flags=no-writes
-- needs: findings
-- check_jobs.lua: each job of a stretch in order of insertion: is it where its state says, does it wait as long as its
-- edges say? ARGV: now, chunk to go on behind ('': the first).
local gone = begin()
if gone then return gone end

local function check_zset(j, name, at)
  local score = call('ZSCORE', P .. name .. ':' .. j.queue, member_of(j.seq, j.iid))
  if not score or tonumber(score) ~= at then
    find("job '%s' is %s and not in line", id_text(j.iid), STATE_NAMES[j.state])
  end
end

local function check_place(j)
  local state = STATE_NAMES[j.state]
  if j.state == SCHEDULED then
    check_zset(j, 'scheduled', j.run_at)
  elseif j.state == FAILED or j.state == CANCELLED then
    check_zset(j, 'ended:' .. j.state, j.x.f)
  end
  if j.state == RUNNING and not lease_of(j.iid) then
    find("job '%s' is running and has no lease", id_text(j.iid))
  end
  if is_final(j.state) ~= (j.x.f ~= nil) then
    find("job '%s' is %s and ended at %s", id_text(j.iid), state, j.x.f and text_of(j.x.f) or '0')
  end
  if j.x.k and j.state ~= FAILED then
    find("job '%s' is %s and its hook is due", id_text(j.iid), state)
  elseif j.x.k == 1 then
    check_zset(j, 'hooks', j.x.f)
  elseif j.x.k == 2 and not lease_of(j.iid, true) then
    find("the hook of job '%s' runs and has no lease", id_text(j.iid))
  end
  if j.x.b and not call('ZSCORE', P .. 'members:' .. j.x.b, j.iid) then
    find("job '%s' is not among the members of its batch", id_text(j.iid))
  end
end

local function has_ended(e)
  if e.is_batch == 1 then
    local b = batch_read(e.parent)
    return b and b.ended ~= 0
  end
  local parent = job_read(e.parent)
  return parent and is_final(parent.state)
end

local function check_edges(j)
  local waits = 0
  for _, e in ipairs(has_flag(j, F_EDGES) and edges_of(P .. 'up:' .. j.iid) or {}) do
    waits = waits + (e.state ~= SATISFIED and 1 or 0)
    if e.state == OPEN and has_ended(e) then
      find("job '%s' waits for '%s', which has ended", id_text(j.iid), id_text(e.parent))
    end
  end
  if waits ~= (j.x.w or 0) then
    find("job '%s' waits for %d others and counts %d", id_text(j.iid), waits, j.x.w or 0)
  end
  if (j.state == HELD and waits == 0) or (j.state ~= HELD and j.state ~= CANCELLED and waits > 0) then
    find("job '%s' is %s and waits for %d others", id_text(j.iid), STATE_NAMES[j.state], waits)
  end
end

local start = ARGV[2] == '' and '-inf' or '(' .. ARGV[2]
local chunk = call('ZRANGE', order_key, start, '+inf', 'BYSCORE', 'LIMIT', 0, 1)[1]
if not chunk then
  return found('')
end
local iids, n = call('LRANGE', order_key .. ':' .. chunk, 0, -1), 0
jobs_read(iids)
for place = 1, #iids do
  local j = iids[place] ~= '' and job_read(iids[place])
  if j and j.seq == chunk * CHUNK + place - 1 then
    n = n + 1
    check_place(j)
    check_edges(j)
  end
end
if n ~= tonumber(call('HGET', live_key, chunk) or 0) then
  find('%d jobs are numbered from %s on, and %s are counted', n, text_of(chunk * CHUNK), call('HGET', live_key, chunk) or '0')
end
return found(chunk)
