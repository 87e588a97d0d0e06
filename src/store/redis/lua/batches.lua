#!lua flags=no-writes
-- needs: call
-- batches.lua: a page of them, the newest first, packed as {id, row, id, row, …}. ARGV: now, most[, id of the last one of
-- the page before, id as text].
local gone = begin()
if gone then return gone end
local from = '+inf'
if ARGV[3] then
  local after = call('HGET', P .. 'batches', ARGV[3])
  if not after then
    return fail('ENOTFOUND', "there is no batch '" .. ARGV[4] .. "'")
  end
  from = '(' .. text_of(unpack_all(after))
end
local reply = {}
for _, iid in ipairs(call('ZRANGE', P .. 'batches:order', from, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, ARGV[2])) do
  reply[#reply + 1] = iid
  reply[#reply + 1] = call('HGET', P .. 'batches', iid)
end
return pack(reply)
