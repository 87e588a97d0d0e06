#!lua flags=allow-oom
-- needs: tell workers
-- beat.lua: a sign of life of a worker, or its farewell; hands out its commands. ARGV: now, worker, info, ttl, bye.
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
if #commands > 0 then
  call('DEL', P .. 'commands:' .. name)
end
local reply = {M.control, identity()}
for i, command in ipairs(commands) do
  reply[2 + i] = tonumber(command)
end
return finish(reply)
