#!lua flags=allow-oom
-- needs: settle reserve
-- exchange.lua: settles, then reserves. ARGV[2] {COMPLETED jobs to keep a queue (negative: all), 1 when moves are wanted,
-- max, lease ms, worker, queues}, then one argument an outcome (parts/settle.lua). Answers a list: first {settled, token,
-- until, next at, control, hints, how many of what is handed out are hooks, moves}, then id and row of each job handed out,
-- as it was before.
local refused = begin()
if refused then
  return refused
end
local keep, wants_moves, max, lease_ms, worker, queues = unpack_all(ARGV[2])
are_moves_wanted = wants_moves == 1
local settled = {}
for i = 3, #ARGV do
  settled[i - 2] = settle_one(unpack_all(ARGV[i]))
end
keep_all(keep)
local l = max > 0 and reserve(queues, max, worker, lease_ms)
local reply = {pack(settled, l and l.token or 0, l and now + lease_ms or 0, max > 0 and next_at or 0, M.control, hints(), hooks_n, moves)}
for i = 1, 2 * handed_n do
  reply[i + 1] = handed[i]
end
return finish(reply)
