-- call.lua: the frame of every script: the clock, the numbers of the store, what is counted and told at the end.
--
-- ARGV[1] is the time, 0 for the server's. A script begins with `begin()`, which answers an error when this is no store of
-- ours, and ends with `return finish(reply)`. Nothing is written before all that can be refused has been looked at.
-- A '-' before the time: what is in the inbox stays there.
local call, pack, unpack_all = redis.call, cmsgpack.pack, cmsgpack.unpack
local meta_key = KEYS[1]
local P = string.sub(meta_key, 1, -5) -- '{PREFIX}:'
local SCHEMA, FOREVER = '2', 9007199254740992

local HELD, SCHEDULED, READY, RUNNING, COMPLETED, FAILED, CANCELLED = 0, 1, 2, 3, 4, 5, 6
local WAIT_READY, WAIT_ENDED, WAIT_CONTROL, WAIT_EVENTS, WAIT_SCHEDULES = 1, 2, 4, 8, 16

-- Wall clock and lease clock of the call.
local now, lease_now
-- The server's time, where it was asked for.
local asked

-- The numbers of the store: M.seq, M.token, … Change them by set().
local NAMES = {'schema', 'seq', 'token', 'control', 'follow', 'event', 'hooks', 'limits', 'lease_at', 'lease_wall', 'start'}
local M, M_changed = {}, {}

-- Arguments of one command at most: Lua's stack is small.
local MANY = 4000

-- The command on the key with all of the list behind it, in as many as it takes. Answers those of all in turn.
local function call_many(list, command, key)
  if #list == 0 then
    return {}
  end
  if #list <= MANY then
    return call(command, key, unpack(list))
  end
  local answers = {}
  for from = 1, #list, MANY do
    local last = math.min(from + MANY - 1, #list)
    local answer = call(command, key, unpack(list, from, last))
    for i = from, type(answer) == 'table' and last or 0 do
      answers[i] = answer[i - from + 1]
    end
  end
  return answers
end

local function set(name, value)
  M[name] = value
  M_changed[name] = true
end

local function fail(code, text)
  return redis.error_reply('ERRAND ' .. code .. ' ' .. text)
end

-- Whole numbers as text: tostring() rounds from 10^14 on.
local function text_of(number)
  return string.format('%.0f', number)
end

-- Redis has only the wall clock. The lease clock follows it, but never back, and never more than LEASE_STEP ahead between
-- two calls: a step of the wall clock of hours moves a lease by seconds. Workers call more often than that, so it goes as
-- fast as the wall clock does; while nobody calls at all, nobody can take a job either.
local LEASE_STEP = 10000

local function clock()
  local given = math.abs(tonumber(ARGV[1]))
  if given ~= 0 then
    now, lease_now = given, given
    return
  end
  asked = call('TIME')
  now = asked[1] * 1000 + math.floor(asked[2] / 1000)
  local step = math.max(0, math.min(now - M.lease_wall, LEASE_STEP))
  lease_now = M.lease_at + step
end

-- Keeps where the lease clock is: for calls that write, when it has moved noticeably.
local function clock_keep()
  if ARGV[1] == '0' and math.abs(now - M.lease_wall) >= 1000 then
    set('lease_at', lease_now)
    set('lease_wall', now)
  end
end

-- Another number for another store, made by migrate.lua.
local function identity()
  return tonumber(call('HGET', meta_key, 'identity') or 0)
end

-- The token of a lease or lock that is to come. Larger than any that was given, also by a store that was here before, or by a
-- master whose last writes were lost with it: the microseconds of the time, where that is more than the last one and one.
local function token_next()
  local time = asked or call('TIME')
  return math.max(M.token + 1, time[1] * 1000000 + time[2])
end

-- The inbox (inbox.lua): each script puts in its place what is there before it looks at anything. What only reads cannot,
-- and a long one is not for one script: then the caller has take_in.lua do it, in steps, and comes again. A look then passes
-- over what has come meanwhile, or it might never end.
local inbox_key = P .. 'inbox:' .. SCHEMA
local TAKEN_AT_ONCE = 1000
local take_in, inbox_open -- for scripts that write

local function inbox_look()
  local n = string.byte(ARGV[1]) ~= 45 and call('XLEN', inbox_key) or 0
  if n == 0 then
    -- Nobody follows any more.
    if take_in and M.follow ~= 0 and M.follow <= now then
      set('follow', 0)
      inbox_open()
    end
    return
  end
  if n > TAKEN_AT_ONCE or not take_in then
    return fail('UNTAKEN', take_in and 'too many' or 'at all')
  end
  take_in(n)
end

local function begin_alone()
  local values = call('HMGET', meta_key, unpack(NAMES))
  if values[1] ~= SCHEMA then
    if not values[1] then
      return fail('EUNAVAILABLE', 'the store is gone: its keys were deleted; errand migrate makes a new one, and so does a program that is started')
    end
    return fail('ESCHEMA', 'another errand has changed the store to schema ' .. values[1] .. ' meanwhile')
  end
  for i = 2, #NAMES do
    M[NAMES[i]] = tonumber(values[i] or 0)
  end
  clock()
end

local function begin()
  return begin_alone() or inbox_look()
end

-- ------------------------------------------------------------------ waking

local wakes = {}

local function wake(bit)
  wakes[bit] = true
end

local function wake_send()
  for bit in pairs(wakes) do
    call('SPUBLISH', P .. 'w:' .. bit, '')
  end
  wakes = {}
end

-- ------------------------------------------------------------------ counts

-- Jobs by queue and state: written once at the end.
local counts, queues_new = {}, {}

local function count(queue, state, n)
  local of_queue = counts[queue]
  if not of_queue then
    of_queue = {}
    counts[queue] = of_queue
  end
  of_queue[state] = (of_queue[state] or 0) + n
end

local function counts_write()
  for queue, of_queue in pairs(counts) do
    for state, n in pairs(of_queue) do
      if n ~= 0 then
        call('HINCRBY', P .. 'q:' .. queue, state, n)
      end
    end
  end
  counts = {}
end

local function queue_make(queue)
  if not queues_new[queue] then
    queues_new[queue] = true
    call('ZADD', P .. 'queues', 0, queue)
  end
end

-- ------------------------------------------------------------------ end

-- What the parts have kept back to write it at once.
local at_end = {}

local function write_all()
  for i = 1, #at_end do
    at_end[i]()
  end
  counts_write()
  local changed = {}
  for name in pairs(M_changed) do
    changed[#changed + 1] = name
    changed[#changed + 1] = text_of(M[name])
  end
  if #changed > 0 then
    call('HSET', meta_key, unpack(changed))
    M_changed = {}
  end
  wake_send()
end

local function finish(reply)
  clock_keep()
  write_all()
  return reply
end
