-- needs: follow
-- findings.lua: what does not fit together, a sentence each. A check goes in steps, so that a large store is not held up:
-- each script answers where its next step begins ('': that was all) and what it has found.
local FINDINGS_MAX = 100
local STATE_NAMES = {[HELD] = 'held', [SCHEDULED] = 'scheduled', [READY] = 'ready', [RUNNING] = 'running',
  [COMPLETED] = 'completed', [FAILED] = 'failed', [CANCELLED] = 'cancelled'}
local findings = {}

local function find(format, ...)
  if #findings < FINDINGS_MAX then
    findings[#findings + 1] = string.format(format, ...)
  end
end

local function found(cursor)
  return {cursor, pack(findings)}
end

-- How many are in a line: those of its list that have not left it, and those that came late.
local function line_length(line)
  local n = call('LLEN', P .. line) + call('ZCARD', P .. line .. ':late')
  for _, gone in ipairs(call('HVALS', P .. line .. ':gone')) do
    n = n - gone
  end
  return n
end
