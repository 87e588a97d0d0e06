#!lua flags=no-writes
-- needs: filter look
-- list.lua: a stretch of the jobs in order of insertion. ARGV: now, filter, backwards, with data, most to answer, most to
-- look at, number to go on behind ('': from the end it begins with)[, id of the last one of the page before, as text].
-- Answers the number to go on behind (0: that was all), and those that match.
local gone = begin()
if gone then return gone end
local filter, backwards, with_data = filter_of(ARGV[2]), ARGV[3] == '1', ARGV[4] == '1'
local most, looks = tonumber(ARGV[5]), tonumber(ARGV[6])
local seq = tonumber(ARGV[7])
local reply = {}
if ARGV[8] then
  local after = job_read(ARGV[8])
  if not after then
    return fail('ENOTFOUND', "there is no job '" .. ARGV[9] .. "' to go on behind")
  end
  seq = after.seq
end

-- Looks at what a chunk has from there on; answers the last number looked at, or nil when there is room for more.
local function chunk_list(chunk, from)
  local first, last = from and from % CHUNK or 0, CHUNK - 1
  if backwards then
    first, last = 0, from and from % CHUNK or CHUNK - 1
  end
  local iids = call('LRANGE', order_key .. ':' .. chunk, first, last)
  local found = filter_find(filter, iids)
  for i = 1, #iids do
    local place = backwards and #iids - i or i - 1
    local j = found[place + 1]
    local at = chunk * CHUNK + first + place
    if j and j.seq == at then
      reply[#reply + 1] = job_shown(j, with_data)
    end
    looks = looks - 1
    if #reply == most or looks == 0 then
      return at
    end
  end
end

local from = seq and seq + (backwards and -1 or 1)
local start = from and math.floor(from / CHUNK) or (backwards and '+inf' or '-inf')
while true do
  local chunk = call('ZRANGE', order_key, start, backwards and '-inf' or '+inf', 'BYSCORE', unpack(backwards and {'REV',
    'LIMIT', 0, 1} or {'LIMIT', 0, 1}))[1]
  if not chunk then
    return {0, pack(reply)}
  end
  chunk = tonumber(chunk)
  local stopped = chunk_list(chunk, from and chunk == math.floor(from / CHUNK) and from or nil)
  if stopped then
    return {stopped, pack(reply)}
  end
  start = '(' .. chunk
end
