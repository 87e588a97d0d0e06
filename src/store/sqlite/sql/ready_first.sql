-- ready_first.sql: Places at the head of one queue, to merge several into one line.
-- hot
-- plan: USING PRIMARY KEY (queue=? AND priority<?)
SELECT priority, run_at, id FROM errand_ready WHERE queue = ?1 AND priority < 2147483648 ORDER BY priority, run_at, id LIMIT ?2;
