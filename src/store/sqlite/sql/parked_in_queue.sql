-- parked_in_queue.sql: Has this queue a job in this line?
-- hot
SELECT 1 FROM errand_parked WHERE line = ?1 AND queue = ?2 LIMIT 1;
