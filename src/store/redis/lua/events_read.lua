#!lua flags=allow-oom
-- needs: call
-- events_read.lua: a page of the ring. ARGV: now, after, most, how long somebody follows.
-- Answers last number of the page, whether some were missed, number of the first row, rows.
--
-- The list has the newest events up to M.event, so a place in it is a number less that of its first. That somebody
-- follows is written again when half of the time is over, not at each look; there is no inbox then.
local gone = begin()
if gone then return gone end
local after, most, follow = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local last = M.event
if follow > 0 and M.follow - now < follow / 2 then
  call('DEL', inbox_key)
  set('follow', now + follow)
end
if after < 0 or most == 0 then
  return finish({last, 0, 0, pack({})})
end
local first = last - call('LLEN', P .. 'events') + 1
local from, missed = after + 1, 0
if after > last then
  return finish({last, 1, 0, pack({})})
end
if from < first then
  from, missed = first, 1
end
local rows = call('LRANGE', P .. 'events', from - first, from - first + most - 1)
if #rows > 0 then
  last = from + #rows - 1
end
return finish({last, missed, from, pack(rows)})
