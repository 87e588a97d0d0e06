-- workers.lua: who works on this store. `workers` name → {since, seen, until, info}, `workers:ends` by until, so that
-- the dead are found without looking at the living; `commands:NAME` what it has not fetched,
-- `handed` name → {number of the heartbeat, what that one fetched}: a heartbeat whose answer was lost comes again.
local WORKER_KEPT_MS = 3600000

local function worker_drop(name)
  call('HDEL', P .. 'workers', name)
  call('ZREM', P .. 'workers:ends', name)
  call('DEL', P .. 'commands:' .. name)
  call('HDEL', P .. 'handed', name)
end

local function workers_forget()
  for _, name in ipairs(call('ZRANGE', P .. 'workers:ends', '-inf', now - WORKER_KEPT_MS, 'BYSCORE')) do
    worker_drop(name)
  end
end
