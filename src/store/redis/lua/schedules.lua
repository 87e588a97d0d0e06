#!lua flags=no-writes
-- needs: call
-- schedules.lua: all of them, packed as {name, row, name, row, …}; who reads sorts.
local gone = begin()
if gone then return gone end
return pack(call('HGETALL', P .. 'schedules'))
