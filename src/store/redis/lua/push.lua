#!lua
-- needs: push
-- push.lua: ARGV[2] {edges, batch or {}}, then one argument a job (parts/push.lua). Answers {answers, hints}.
-- Without allow-oom: a server whose memory is full refuses it before it begins.
local refused = begin()
if refused then
  return refused
end
local edges_wanted, batch = unpack_all(ARGV[2])
local list = {}
for i = 3, #ARGV do
  list[i - 2] = unpack_all(ARGV[i])
end
local plan, why = plan_make(list, edges_wanted, #batch > 0 and batch or nil)
if not plan then
  return why
end
local answers = plan_carry_out(plan)
return finish(pack(answers, hints()))
