#!lua flags=allow-oom
-- needs: tell workers
-- beat.lua: a sign of life of a worker, or its farewell; hands out its commands. ARGV: now, worker, info, ttl, bye, number: the same as that of the heartbeat before when its
-- answer did not come.
-- Answers M.control, the identity and the commands, oldest first.
local gone = begin()
if gone then return gone end
local name, ttl = ARGV[2], tonumber(ARGV[4])
workers_forget()
local old = call('HGET', P .. 'workers', name)
if ARGV[5] == '1' then
  if old then
    worker_drop(name)
    tell('worker:stopped', '', name, '')
  end
  return finish({M.control, identity()})
end
local since = old and unpack_all(old)[1] or now
if not old then
  tell('worker:started', '', name, '')
end
call('HSET', P .. 'workers', name, pack({since, now, now + ttl, ARGV[3]}))
call('ZADD', P .. 'workers:ends', now + ttl, name)
local commands = call('LRANGE', P .. 'commands:' .. name, 0, -1)
local handed = call('HGET', P .. 'handed', name)
if handed then
  local number, before = unpack(unpack_all(handed))
  for i = 1, number == ARGV[6] and #before or 0 do
    table.insert(commands, i, before[i])
  end
end
if #commands > 0 then
  call('DEL', P .. 'commands:' .. name)
  call('HSET', P .. 'handed', name, pack({ARGV[6], commands}))
elseif handed then
  call('HDEL', P .. 'handed', name)
end
local reply = {M.control, identity()}
for i, command in ipairs(commands) do
  reply[2 + i] = tonumber(command)
end
return finish(reply)
