#!lua flags=no-writes
-- needs: findings
-- check_edges.lua: edges whose ends are there, a step of a scan. ARGV: now, cursor ('': from the beginning).
local gone = begin()
if gone then return gone end
local reply = call('HSCAN', edges_key, ARGV[2] == '' and '0' or ARGV[2], 'COUNT', 1000)
for i = 1, #reply[2], 2 do
  local e = edge_decode(reply[2][i], reply[2][i + 1])
  local parents = e.is_batch == 1 and batches_key or jobs_key
  if call('HEXISTS', jobs_key, e.child) == 0 then
    find("an edge leads to job '%s', which is not there", id_text(e.child))
  end
  if call('HEXISTS', parents, e.parent) == 0 then
    find("an edge leads from '%s', which is not there", id_text(e.parent))
  end
end
return found(reply[1] == '0' and '' or reply[1])
