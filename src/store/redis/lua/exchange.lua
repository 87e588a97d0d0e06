#!lua flags=allow-oom
-- needs: call quick exchange_quick settle reserve
-- exchange.lua: settles, then reserves. ARGV[2] {COMPLETED jobs to keep a queue (negative: all), 1 when moves are wanted,
-- max, lease ms, worker, queues}, then one argument an outcome (parts/settle.lua) or a run of them (parts/quick.lua).
-- Answers a list: first {settled, token, until, next at, control, hints, how many of what is handed out are hooks, moves},
-- then id and row of each job handed out, as it was before.
--
-- What is plain has been dealt with when we come here, and the script has ended when that was all.
are_moves_wanted = exchange.wants_moves == 1
for i = 1, #exchange.left do
  local left = exchange.left[i]
  for o = 1, #left.outcomes do
    exchange.settled[left.at + o - 1] = settle_one(left.outcomes[o])
  end
end
keep_all(exchange.keep)
local l = exchange.max > 0 and reserve(exchange.queues, exchange.max, exchange.worker, exchange.lease_ms)
return finish(exchange_answer(l and l.token or 0, next_at, hooks_n, moves, handed, handed_n))
