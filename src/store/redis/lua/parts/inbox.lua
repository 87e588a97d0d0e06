-- needs: call insert
-- inbox.lua: single jobs that are READY at once are appended to a stream, by a command that is no script, and put in their place
-- by the next script of anybody: many at once, at a tenth of what each would cost by itself. Every script does so before
-- it looks at anything, so nobody can tell that they were not there. While somebody follows the events there is no inbox: then
-- each push goes by its script, which tells of it.
--
-- An entry, whose id has the time of the push: id of the job → head, '' → name, queue, options, data and x as the row has
-- them. Head: flags, 1 when there is anything in x, priority, tries, queue, the time when a test gave it or 0. Few differ in
-- that, so it is read once.
local heads = {}

local function head_read(packed)
  local flags, has_more, prio, tries, queue, given = unpack_all(packed)
  local head = {begins = pack(READY, flags, has_more, prio, tries, 0), queue = queue, prio = prio, given = given}
  heads[packed] = head
  return head
end

-- A push whose answer was lost was made once more, by script: the first of two is the job.
local function inbox_unknown(entries, ids)
  local rows, unknown, left, seen = call_many(ids, 'HMGET', P .. 'jobs'), {}, {}, {}
  for i = 1, #ids do
    if not rows[i] and not seen[ids[i]] then
      seen[ids[i]] = true
      unknown[#unknown + 1], left[#left + 1] = entries[i], ids[i]
    end
  end
  return unknown, left
end

-- Those that stand behind each other in one line, from number `first` on.
local function run_store(head, ids, first, at, times)
  if not insert_line(head.queue, head.prio, ids, first, at, times[#ids]) then
    for i = 1, #ids do
      insert_line(head.queue, head.prio, {ids[i]}, first + i - 1, times[i], times[i])
    end
  end
  count(head.queue, READY, #ids)
  queue_make(head.queue)
end

local function inbox_store(entries, ids)
  local first, rows = insert_numbers(ids), {}
  local stamp, stamped, packed_at, at = '', 0, nil, nil
  local run, run_ids, run_times, run_first = nil, {}, {}, first
  for i = 1, #entries do
    local entry, fields = entries[i][1], entries[i][2]
    local head = heads[fields[2]] or head_read(fields[2])
    local before = at
    if string.find(entry, stamp, 1, true) ~= 1 or not packed_at then
      stamp = string.match(entry, '^%d+%-')
      stamped = tonumber(string.sub(stamp, 1, -2))
      -- The stream's time never goes back, the clock may have.
      if ARGV[1] == '0' and stamped > now then
        stamped = now
      end
    end
    local its_at = head.given ~= 0 and head.given or stamped
    if its_at ~= at then
      at, packed_at = its_at, pack(its_at, its_at)
    end
    rows[2 * i - 1] = ids[i]
    rows[2 * i] = head.begins .. packed_at .. fields[4] .. struct.pack('>BI8', 207, first + i - 1)
    if run and (head.queue ~= run.queue or head.prio ~= run.prio or at < before) then
      run_store(run, run_ids, run_first, run_times[1], run_times)
      run, run_ids, run_times, run_first = nil, {}, {}, first + i - 1
    end
    run = run or head
    run_ids[#run_ids + 1], run_times[#run_times + 1] = ids[i], at
  end
  run_store(run, run_ids, run_first, run_times[1], run_times)
  call_many(rows, 'HSET', P .. 'jobs')
end

-- The first n.
take_in = function(n)
  local entries, ids = call('XRANGE', inbox_key, '-', '+', 'COUNT', n), {}
  for i = 1, #entries do
    ids[i] = entries[i][2][1]
  end
  call('XTRIM', inbox_key, 'MAXLEN', call('XLEN', inbox_key) - #entries)
  if not are_new(ids) then
    entries, ids = inbox_unknown(entries, ids)
  end
  if #ids > 0 then
    inbox_store(entries, ids)
  end
  write_all()
end

-- An empty one.
inbox_open = function()
  call('XADD', inbox_key, '*', 'made', '')
  call('XTRIM', inbox_key, 'MAXLEN', 0)
end
