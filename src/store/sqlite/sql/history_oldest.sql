-- history_oldest.sql: The oldest of a queue, by number.
-- hot
-- plan: INDEX errand_history_queue (queue=?)
SELECT id, flags, created_at FROM errand_history WHERE queue = ?1 ORDER BY id LIMIT ?2;
