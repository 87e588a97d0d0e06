#!lua flags=no-writes
-- needs: call workers
-- workers.lua: all but the forgotten, each as name, row; then for each lease its worker and how much runs under it.
local gone = begin()
if gone then return gone end
local reply = {{}, {}}
for _, name in ipairs(call('ZRANGE', P .. 'workers:ends', '(' .. (now - WORKER_KEPT_MS), '+inf', 'BYSCORE')) do
  reply[1][#reply[1] + 1] = name
  reply[1][#reply[1] + 1] = call('HGET', P .. 'workers', name)
end
for _, packed in ipairs(call('HVALS', P .. 'leases')) do
  local _, _, worker, _, _, jobs, hooks = unpack_all(packed)
  reply[2][#reply[2] + 1] = worker
  reply[2][#reply[2] + 1] = #jobs + #hooks
end
return {now, pack(reply)}
