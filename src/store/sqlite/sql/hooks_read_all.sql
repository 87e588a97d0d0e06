-- hooks_read_all.sql: Hooks that are due on all queues that are not paused, as one line. There are few: it reads and sorts them.
SELECT r.id, j.priority, j.run_at, j.attempt, j.tries, j.flags, j.name, j.created_at, j.batch, j.payload, j.options, j.error,
       r.ended_at, r.queue
  FROM errand_hooks AS r CROSS JOIN errand_queues AS q ON q.id = r.queue CROSS JOIN errand_jobs AS j ON j.id = r.id
 WHERE q.paused_until <= ?1
 ORDER BY r.ended_at, r.id
 LIMIT ?2;
