-- ready_oldest.sql: The first of the next priority in a queue.
-- hot
SELECT priority, run_at FROM errand_ready WHERE queue = ?1 AND priority > ?2 AND priority < 2147483648 ORDER BY priority, run_at, id LIMIT 1;
