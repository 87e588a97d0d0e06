#!lua flags=allow-oom
-- needs: inbox
-- take_in.lua: a stretch of the inbox, for a script that cannot or for which there is too much. Answers how much is left.
local gone = begin_alone()
if gone then return gone end
local n = call('XLEN', inbox_key)
if n > 0 then
  take_in(math.min(n, TAKEN_AT_ONCE))
end
return finish({math.max(0, n - TAKEN_AT_ONCE)})
