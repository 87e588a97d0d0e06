#!lua flags=allow-oom
-- needs: call
-- limit_put.lua: sets a limit, or its numbers anew. ARGV: now, name, kind, scope, target, n, per.
local gone = begin()
if gone then return gone end
local row = pack(tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7]))
call('HSET', P .. 'limits', ARGV[2], row)
set('limits', call('HLEN', P .. 'limits'))
wake(WAIT_READY)
return finish(0)
