-- needs: call
-- tell.lua: events, while somebody follows: the list `events` of the last 10,000, the newest has the number M.event.
local told = {}
local EVENTS_KEPT, TOLD_ERROR_MAX = 10000, 1024

local function is_followed()
  return M.follow > now
end

-- Whole characters of it.
local function error_cut(text)
  local n = #text
  if n <= TOLD_ERROR_MAX then
    return text
  end
  n = TOLD_ERROR_MAX
  while n > 0 do
    local byte = string.byte(text, n + 1)
    if byte < 128 or byte >= 192 then
      break
    end
    n = n - 1
  end
  return string.sub(text, 1, n)
end

-- Whatever `follow` says: for those who add events of their own.
local function tell_always(at, kind, iid, name, queue, attempt, duration, delay, text)
  set('event', M.event + 1)
  told[#told + 1] = pack(at, kind, iid, name, queue, attempt, duration, delay, text)
  wake(WAIT_EVENTS)
end

local function tell(kind, iid, name, queue, attempt, duration, delay, text)
  if is_followed() then
    tell_always(now, kind, iid, name, queue, attempt or 0, duration or -1, delay or -1, text or '')
  end
end

local function tell_job(kind, j, text)
  tell(kind, j.iid, j.name, j.queue, j.attempts, -1, -1, text)
end

local function hints()
  return is_followed() and 1 or 0
end

local function told_write()
  if #told > 0 then
    call_many(told, 'RPUSH', P .. 'events')
    call('LTRIM', P .. 'events', -EVENTS_KEPT, -1)
    told = {}
  end
end
at_end[#at_end + 1] = told_write
