-- queue_text.sql: The name of a queue.
-- hot
SELECT name FROM errand_queues WHERE id = ?1;
