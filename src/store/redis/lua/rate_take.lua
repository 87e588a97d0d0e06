#!lua
-- needs: limits
-- rate_take.lua: takes from a rate limit, all or nothing. ARGV: now, name, key, n, per, take.
-- Answers 1 and 0, or 0 and when it may be allowed.
local gone = begin()
if gone then return gone end
local l = {name = ARGV[2], key = ARGV[3], n = tonumber(ARGV[4]), per = tonumber(ARGV[5])}
local take = tonumber(ARGV[6])
local used = call('ZCOUNT', starts_key(l), '(' .. text_of(now - l.per), '+inf')
if used + take > l.n then
  -- Not before so few are left in the window that these fit.
  local place = l.n - take
  local last = call('ZREVRANGE', starts_key(l), place, place, 'WITHSCORES')
  return finish({0, tonumber(last[2]) + l.per})
end
starts_add(l, take)
return finish({1, 0})
