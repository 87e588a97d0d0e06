-- check_not_in_line.sql: State 2 and in no line: must be named by a lease.
SELECT j.id FROM errand_jobs AS j
 WHERE j.state = 2
   AND NOT EXISTS(SELECT 1 FROM errand_ready AS r
                   WHERE r.queue = j.queue AND r.priority = j.priority AND r.run_at = j.run_at AND r.id = j.id)
   AND NOT EXISTS(SELECT 1 FROM errand_parked AS p WHERE p.id = j.id);
