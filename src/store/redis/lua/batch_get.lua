#!lua flags=no-writes
-- needs: call
-- batch_get.lua: its row, as parts/batches.lua has it. ARGV: now, id, id as text.
local gone = begin()
if gone then return gone end
local row = call('HGET', P .. 'batches', ARGV[2])
if not row then
  return fail('ENOTFOUND', "there is no batch '" .. ARGV[3] .. "'")
end
return row
