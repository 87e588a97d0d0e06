-- queue_completed.sql: How many completed jobs a queue keeps.
-- hot
SELECT completed FROM errand_queues WHERE id = ?1;
