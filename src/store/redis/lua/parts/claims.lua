-- needs: records
-- claims.lua: unique keys: the hash `claims`: key → {id, held until, 1 when the job was pruned}. Those that end by
-- themselves are in the zset `claims:ends` as well; each new claim clears away some that are over.
local claims_key, ends_key = P .. 'claims', P .. 'claims:ends'
local CLEARED_AT_ONCE = 4

local function claim_drop(key)
  call('HDEL', claims_key, key)
  call('ZREM', ends_key, key)
end

local function claim_write(key, iid, until_ms, is_pruned)
  call('HSET', claims_key, key, pack(iid, until_ms, is_pruned))
  if until_ms < FOREVER then
    call('ZADD', ends_key, text_of(until_ms), key)
  else
    call('ZREM', ends_key, key)
  end
end

-- Who holds the key now: its id, and whether it was pruned; nil: nobody.
local function claim_find(key)
  local value = call('HGET', claims_key, key)
  if not value then
    return nil
  end
  local iid, until_ms, is_pruned = unpack_all(value)
  if until_ms <= now then
    claim_drop(key)
    return nil
  end
  return iid, is_pruned == 1
end

local function claim_until(ttl)
  return ttl > 0 and ttl < FOREVER - now and now + ttl or FOREVER
end

-- The key is its own from now on, with a fresh ttl.
local function claim_take(j)
  local over = call('ZRANGEBYSCORE', ends_key, '-inf', now, 'LIMIT', 0, CLEARED_AT_ONCE)
  for i = 1, #over do
    claim_drop(over[i])
  end
  claim_write(j.x.uk, j.iid, claim_until(j.x.ut), 0)
end

local function claim_is_held(j)
  if not j.x.uk then
    return false
  end
  local value = call('HGET', claims_key, j.x.uk)
  return value and unpack_all(value) == j.iid
end

local function claim_renew(j, ttl)
  j.x.ut = ttl
  if claim_is_held(j) then
    claim_write(j.x.uk, j.iid, claim_until(ttl), 0)
  end
end

local function claim_release(j)
  if claim_is_held(j) then
    claim_drop(j.x.uk)
  end
end

-- The job is gone, and its key stays until it ends.
local function claim_orphan(j)
  if claim_is_held(j) then
    local iid, until_ms = unpack_all(call('HGET', claims_key, j.x.uk))
    claim_write(j.x.uk, iid, until_ms, 1)
  end
end

-- For a job that comes back to life: false when another holds its key. Until: 0 its ttl, 1 done, 2 started.
local function claim_again(j)
  if not j.x.uk or j.x.uu == 0 then
    return true
  end
  if claim_find(j.x.uk) then
    return false
  end
  claim_take(j)
  return true
end
