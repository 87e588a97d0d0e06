-- needs: call
-- quick.lua: settling and reserving plain jobs: those without unique key, limits, edges, batch, attempts that failed, that
-- are DONE. They are nearly all there are, and take a tenth of the time when none of them becomes a table. What is not
-- plain is left to settle.lua and reserve.lua, which can do it all; nothing here follows from anything else.
local quick = {handed = {}, handed_n = 0}
local jobs_key, leases_key, deadlines_key, live_key = P .. 'jobs', P .. 'leases', P .. 'deadlines', P .. 'order:live'
local EMPTY, CHUNK = 128, 1024 -- an x with nothing in it, records.lua

local function is_plain(row)
  local state, flags, x = string.byte(row, 1, 3)
  return state == READY and flags == 0 and x == EMPTY
end

-- ------------------------------------------------------------------ settling

-- What a lease still has, and which of it is settled here.
local function lease_quick(token)
  local value = call('HGET', leases_key, token)
  if not value then
    return nil
  end
  local l = {}
  l.since, l.until_ms, l.worker, l.is_plain, l.jobs, l.hooks = unpack_all(value)
  return l.is_plain == 1 and l or nil
end

local function lease_quick_write(token, l, gone)
  local left = {}
  for i = 1, #l.jobs do
    if not gone[l.jobs[i]] then
      left[#left + 1] = l.jobs[i]
    end
  end
  if #left == 0 then
    call('HDEL', leases_key, token)
    call('ZREM', deadlines_key, token)
  else
    call('HSET', leases_key, token, pack(l.since, l.until_ms, l.worker, 1, left, l.hooks))
  end
end

-- Jobs and their numbers leave the order of insertion (records.lua).
local function live_less(numbers)
  local by_chunk = {}
  for i = 1, #numbers do
    local chunk = math.floor(numbers[i] / CHUNK)
    by_chunk[chunk] = (by_chunk[chunk] or 0) + 1
  end
  for chunk, n in pairs(by_chunk) do
    if call('HINCRBY', live_key, chunk, -n) == 0 and chunk < math.floor(M.seq / CHUNK) then
      call('UNLINK', P .. 'order:' .. chunk)
      call('HDEL', live_key, chunk)
      call('ZREM', P .. 'order', chunk)
    end
  end
end
