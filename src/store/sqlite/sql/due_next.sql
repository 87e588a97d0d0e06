-- due_next.sql: When the next of a queue is due.
-- hot
-- plan: USING PRIMARY KEY (queue=?)
SELECT run_at FROM errand_scheduled WHERE queue = ?1 ORDER BY run_at, id LIMIT 1;
