#!lua flags=allow-oom
-- needs: call workers
-- command.lua: tells living workers something. ARGV: now, command[, worker]. Answers to how many.
-- One that does not fetch its commands gets the last ones.
local gone = begin()
if gone then return gone end
local COMMANDS_MAX = 16
local n = 0
for _, name in ipairs(call('ZRANGE', P .. 'workers:ends', '(' .. now, '+inf', 'BYSCORE')) do
  if not ARGV[3] or ARGV[3] == name then
    call('RPUSH', P .. 'commands:' .. name, ARGV[2])
    call('LTRIM', P .. 'commands:' .. name, -COMMANDS_MAX, -1)
    n = n + 1
  end
end
if n > 0 then
  set('control', M.control + 1)
  wake(WAIT_CONTROL)
end
return finish(n)
