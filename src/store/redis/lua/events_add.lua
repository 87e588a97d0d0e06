#!lua
-- needs: tell
-- events_add.lua: what the caller has seen. ARGV: now, then each event packed as parts/tell.lua has it; at 0 is now.
local gone = begin()
if gone then return gone end
for i = 2, #ARGV do
  local at, kind, iid, name, queue, attempt, duration, delay, text = unpack_all(ARGV[i])
  tell_always(at == 0 and now or at, kind, iid, name, queue, attempt, duration, delay, text)
end
return finish(0)
