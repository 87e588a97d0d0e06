-- needs: call quick
-- exchange_quick.lua: the beginning of exchange.lua, which ends the script when all of it was plain.
local exchange = {settled = {}, left = {}}
local refused = begin()
if refused then
  return refused
end
exchange.keep, exchange.wants_moves, exchange.max, exchange.lease_ms, exchange.worker, exchange.queues = unpack_all(ARGV[2])

-- `handed`: '', and then id and row of each job: becomes the answer.
local function exchange_answer(token, next_at, hooks_n, moves, handed, handed_n)
  local e = exchange
  handed[1] = pack(e.settled, token, token ~= 0 and now + e.lease_ms or 0,
                   e.max > 0 and (handed_n == e.max and now or next_at) or 0, M.control, M.follow > now and 1 or 0, hooks_n, moves)
  return handed
end

-- One outcome of a run, as settle.lua takes it.
local function outcome_of(run, i)
  return {run[1], run[4][i], run[3][i], 0, 0, run[5][i], run[6][i], '', '', run[7][i], 0, 0, 0, 0, 0, 0, run[2], run[8], run[9][i],
          {}, {}}
end

local RUN = 9 -- values of a run; an outcome has more

local function settle_quick()
  local at = 1
  for i = 3, #ARGV do
    local what = unpack_all(ARGV[i])
    local n = #what == RUN and #what[3] or 1
    if #what ~= RUN then
      exchange.left[#exchange.left + 1] = {at = at, outcomes = {what}}
    elseif not quick_settle(what, exchange.keep, exchange.settled, at) then
      local outcomes = {}
      for o = 1, n do
        outcomes[o] = outcome_of(what, o)
      end
      exchange.left[#exchange.left + 1] = {at = at, outcomes = outcomes}
    end
    at = at + n
  end
  quick_settled(exchange.keep)
end

settle_quick()
if #exchange.left == 0 then
  if exchange.max == 0 then
    return finish(exchange_answer(0, 0, 0, {}, {}, 0))
  end
  local plan = quick_plan(exchange.queues, exchange.max)
  if plan then
    local token = quick_take(plan, exchange.worker, exchange.lease_ms)
    return finish(exchange_answer(token, plan.next_at, 0, {}, plan.handed, plan.n))
  end
end
