#!lua flags=allow-oom
-- needs: call
-- schedule_pause.lua: its slots are recorded without jobs, or fire again. ARGV: now, name, paused.
local gone = begin()
if gone then return gone end
local old = call('HGET', P .. 'schedules', ARGV[2])
if not old then
  return fail('ENOTFOUND', "there is no schedule '" .. ARGV[2] .. "'")
end
local row = unpack_all(old)
row[1] = tonumber(ARGV[3])
call('HSET', P .. 'schedules', ARGV[2], pack(row))
wake(WAIT_SCHEDULES)
return finish(0)
