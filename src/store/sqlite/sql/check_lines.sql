-- check_lines.sql: Rows of lines whose job is not in that state or has another place.
SELECT 'job ' || r.id || ' is in the ready line and is not' FROM errand_ready AS r
  LEFT JOIN errand_jobs AS j ON j.id = r.id
 WHERE r.priority < 2147483648
   AND (j.id IS NULL OR j.state <> 2 OR j.queue <> r.queue OR j.priority <> r.priority OR j.run_at <> r.run_at)
UNION ALL
SELECT 'job ' || r.id || ' is parked and is not ready' FROM errand_parked AS r
  LEFT JOIN errand_jobs AS j ON j.id = r.id
 WHERE j.id IS NULL OR j.state <> 2 OR j.queue <> r.queue OR j.priority <> r.priority OR j.run_at <> r.run_at
UNION ALL
SELECT 'job ' || r.id || ' is both parked and in the ready line' FROM errand_parked AS r
 WHERE EXISTS(SELECT 1 FROM errand_ready AS x
               WHERE x.queue = r.queue AND x.priority = r.priority AND x.run_at = r.run_at AND x.id = r.id)
UNION ALL
SELECT 'job ' || s.id || ' is in the scheduled line and is not' FROM errand_scheduled AS s
  LEFT JOIN errand_jobs AS j ON j.id = s.id
 WHERE j.id IS NULL OR j.state <> 1 OR j.queue <> s.queue OR j.run_at <> s.run_at OR j.priority <> s.priority
UNION ALL
SELECT 'job ' || j.id || ' is scheduled and in no line' FROM errand_jobs AS j
 WHERE j.state = 1
   AND NOT EXISTS(SELECT 1 FROM errand_scheduled AS s WHERE s.queue = j.queue AND s.run_at = j.run_at AND s.id = j.id)
UNION ALL
SELECT 'job ' || j.id || ' has ended and is not listed' FROM errand_jobs AS j
 WHERE j.state IN (5, 6) AND NOT EXISTS(SELECT 1 FROM errand_finished AS f WHERE f.state = j.state AND f.id = j.id)
UNION ALL
SELECT 'job ' || f.id || ' is listed as ended and is not' FROM errand_finished AS f
  LEFT JOIN errand_jobs AS j ON j.id = f.id
 WHERE j.id IS NULL OR j.state <> f.state OR j.queue <> f.queue OR j.ended_at <> f.ended_at
UNION ALL
SELECT 'job ' || h.id || ' has a hook due and has not failed' FROM errand_hooks AS h
  LEFT JOIN errand_jobs AS j ON j.id = h.id
 WHERE j.id IS NULL OR j.state <> 5
UNION ALL
SELECT 'job ' || h.id || ' is both living and completed' FROM errand_history AS h
 WHERE EXISTS(SELECT 1 FROM errand_jobs AS j WHERE j.id = h.id);
