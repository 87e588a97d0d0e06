#!lua flags=allow-oom
-- needs: tell
-- queue_pause.lua: hands out nothing of a queue until then; 0 resumes it. ARGV: now, queue, until.
local gone = begin()
if gone then return gone end
local queue, ends = ARGV[2], tonumber(ARGV[3])
queue_make(queue)
call('HSET', P .. 'q:' .. queue, 'paused', ARGV[3])
wake(WAIT_READY)
if ends > now then
  tell('queue:paused', '', '', queue, 0, -1, ends < FOREVER and ends - now or -1)
else
  tell('queue:resumed', '', '', queue)
end
return finish(0)
