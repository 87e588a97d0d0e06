#!lua
-- needs: call
-- define.lua: what owners say about their jobs. ARGV: now, then key and packed {name, spec} of each.
local gone = begin()
if gone then return gone end
for i = 2, #ARGV, 2 do
  local row = unpack_all(ARGV[i + 1])
  call('HSET', P .. 'definitions', ARGV[i], pack({row[1], now, row[2]}))
end
return finish(0)
