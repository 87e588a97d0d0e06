#!lua flags=no-writes
-- needs: findings
-- check_claims.lua: unique keys whose holder is there and knows of it, a step of a scan. ARGV: now, cursor ('': from the
-- beginning).
local gone = begin()
if gone then return gone end
local reply = call('HSCAN', claims_key, ARGV[2] == '' and '0' or ARGV[2], 'COUNT', 1000)
for i = 1, #reply[2], 2 do
  local iid, until_ms, is_pruned = unpack_all(reply[2][i + 1])
  local j = job_read(iid)
  if is_pruned ~= 1 and until_ms > now and not (j and j.x.uk == reply[2][i]) then
    find("job '%s' does not hold its unique key", id_text(iid))
  end
end
return found(reply[1] == '0' and '' or reply[1])
