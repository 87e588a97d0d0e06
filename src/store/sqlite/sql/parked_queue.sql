-- parked_queue.sql: The next queue that has jobs in this line.
-- hot
SELECT queue FROM errand_parked WHERE line = ?1 AND queue > ?2 ORDER BY queue LIMIT 1;
