-- needs: call insert
-- push_quick.lua: pushing plain jobs (quick.lua) of ids that nobody has: nothing to look at but those, and one command for
-- all of a run. Ends the script when all runs were such; else nothing has been written, and push.lua does it all.
--
-- ARGV[2] edges, batch or {}, runs, how many singles; there are either of them. A run: {name, queue, options, priority,
-- tries, run at, n}, and of each of its n jobs two arguments, id and packed data, from ARGV[3] on. A single: push.lua.
local edges_wanted, batch_wanted, runs, singles_n = unpack_all(ARGV[2])

local function quick_scheduled(run, ids, first)
  local members = {}
  for i = 1, #ids do
    members[2 * i - 1], members[2 * i] = text_of(run[6]), struct.pack('>I8', first + i - 1) .. ids[i]
  end
  call_many(members, 'ZADD', P .. 'scheduled:' .. run[2])
end

local function quick_insert(run, ids, argument)
  local first, run_at = insert_numbers(ids), math.max(run[6], now)
  local state = run_at > now and SCHEDULED or READY
  local before = pack(state, 0, 0, run[4], run[5], 0, run_at, now, run[1], run[2], run[3])
  local behind = pack({}) .. '\207' -- x, and the number as records.lua has it
  local rows = {}
  for i = 1, #ids do
    rows[2 * i - 1], rows[2 * i] = ids[i], before .. ARGV[argument + 2 * i - 1] .. behind .. struct.pack('>I8', first + i - 1)
  end
  call_many(rows, 'HSET', P .. 'jobs')
  if state == READY then
    insert_line(run[2], run[4], ids, first, run_at, run_at)
  else
    quick_scheduled(run, ids, first)
  end
  count(run[2], state, #ids)
  queue_make(run[2])
  wake(WAIT_READY)
  return state
end

-- The state of the jobs of each run, or nil.
local function push_quick()
  local all, argument, states = {}, 3, {}
  if M.follow > now or singles_n > 0 or #edges_wanted > 0 or #batch_wanted > 0 then
    return nil
  end
  for r = 1, #runs do
    for i = 1, runs[r][7] do
      all[#all + 1] = ARGV[argument]
      argument = argument + 2
    end
  end
  if not are_new(all) then
    return nil
  end
  argument = 3
  for r = 1, #runs do
    local n, ids = runs[r][7], {}
    for i = 1, n do
      ids[i] = ARGV[argument + 2 * i - 2]
    end
    states[r] = quick_insert(runs[r], ids, argument)
    argument = argument + 2 * n
  end
  return states
end

local refused = begin()
if refused then
  return refused
end
local states = push_quick()
if states then
  return finish(pack({}, 0, states))
end
