#!lua
-- needs: push_quick push
-- push.lua: ARGV as push_quick.lua says; a single is one argument (parts/push.lua). Answers what became of
-- each, hints; or, when all were inserted, {}, hints, and the state of each run. Without allow-oom: a server whose memory is full refuses it before it begins.
--
-- What is plain has been dealt with when we come here, and the script has ended when that was all.
local list, argument = {}, 3
for r = 1, #runs do
  local run = runs[r]
  for _ = 1, run[7] do
    list[#list + 1] = {ARGV[argument], run[1], run[2], unpack_all(ARGV[argument + 1]), run[3], run[4], run[5], run[6], {}, '', 0, {}, {}}
    argument = argument + 2
  end
end
for _ = 1, singles_n do
  list[#list + 1] = unpack_all(ARGV[argument])
  argument = argument + 1
end
local plan, why = plan_make(list, edges_wanted, #batch_wanted > 0 and batch_wanted or nil)
if not plan then
  return why
end
local answers = plan_carry_out(plan)
return finish(pack(answers, hints()))
