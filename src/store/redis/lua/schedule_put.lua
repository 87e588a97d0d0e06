#!lua
-- needs: call
-- schedule_put.lua: a new schedule, or spec and next time of one that is there.
-- ARGV: now, name, spec, paused, next. A row is {paused, next, last slot, last job, missed, spec}.
local gone = begin()
if gone then return gone end
local name = ARGV[2]
local old = call('HGET', P .. 'schedules', name)
local row = old and unpack_all(old) or {tonumber(ARGV[4]), 0, 0, '', 0, ''}
row[2], row[6] = tonumber(ARGV[5]), ARGV[3]
call('HSET', P .. 'schedules', name, pack(row))
wake(WAIT_SCHEDULES)
return finish(0)
