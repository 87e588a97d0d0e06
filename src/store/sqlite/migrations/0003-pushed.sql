-- 0003-pushed.sql: a second counter of READY jobs, on the page that a push makes dirty anyway.
--
-- A push of one job writes three pages: the job, its place in line, the counters of its queue. The third is saved by
-- counting in a row of errand_ready itself, behind the places of that queue: priority 2147483648, which no job can
-- have, run_at 0, and the count as id. READY is errand_queues.ready plus this count (either may be negative alone).
-- Made with the first push; these are for queues that exist.
INSERT INTO errand_ready(queue, priority, run_at, id) SELECT id, 2147483648, 0, 0 FROM errand_queues WHERE id > 0;
