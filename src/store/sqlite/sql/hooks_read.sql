-- hooks_read.sql: Hooks that are due in a queue, oldest failure first.
-- hot
SELECT r.id, j.priority, j.run_at, j.attempt, j.tries, j.flags, j.name, j.created_at, j.batch, j.payload, j.options, j.error,
       r.ended_at
  FROM errand_hooks AS r CROSS JOIN errand_jobs AS j ON j.id = r.id
 WHERE r.queue = ?1
 ORDER BY r.ended_at, r.id
 LIMIT ?2;
