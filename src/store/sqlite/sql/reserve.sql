-- reserve.sql: The first ?2 ready jobs of a queue, in the order of the contract: priority, time, id.
-- hot
-- plan: SEARCH r USING PRIMARY KEY (queue=? AND priority<?)
SELECT r.id, r.priority, r.run_at, j.attempt, j.tries, j.flags, j.name, j.created_at, j.batch, j.payload, j.options, j.asks
  FROM errand_ready AS r CROSS JOIN errand_jobs AS j ON j.id = r.id
 WHERE r.queue = ?1 AND r.priority < 2147483648
 ORDER BY r.priority, r.run_at, r.id
 LIMIT ?2;
