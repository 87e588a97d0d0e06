#!lua flags=no-writes
-- needs: call
-- definitions.lua: that of a key, or all, packed as {key, row, key, row, …}. ARGV: now[, key].
local gone = begin()
if gone then return gone end
if not ARGV[2] then
  return pack(call('HGETALL', P .. 'definitions'))
end
local row = call('HGET', P .. 'definitions', ARGV[2])
return pack(row and {ARGV[2], row} or {})
