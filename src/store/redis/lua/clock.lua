#!lua flags=no-writes
-- needs: call
-- clock.lua: the wall clock of the server.
local gone = begin()
if gone then return gone end
return {now}
