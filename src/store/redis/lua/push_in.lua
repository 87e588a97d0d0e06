#!lua
-- push_in.lua: one job into the inbox (parts/inbox.lua) together with its unique key, if nobody has that. ARGV: now, key, the
-- claim (parts/claims.lua) or '', then id and values of the entry. Answers the entry's id, or nothing: then push.lua has to look.
local call = redis.call
local P = string.sub(KEYS[1], 1, -5)
if ARGV[3] ~= '' and call('HSETNX', P .. 'claims', ARGV[2], ARGV[3]) == 0 then
  return false
end
local entry = call('XADD', P .. 'inbox:2', 'NOMKSTREAM', '*', ARGV[4], ARGV[5], '', ARGV[6])
if entry then
  call('SPUBLISH', P .. 'w:1', '')
elseif ARGV[3] ~= '' then
  call('HDEL', P .. 'claims', ARGV[2])
end
return entry
