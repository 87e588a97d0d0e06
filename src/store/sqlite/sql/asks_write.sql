-- asks_write.sql: The key is held for another time, or the job has learnt what it asks.
UPDATE errand_jobs SET asks = ?2, flags = flags | ?3 WHERE id = ?1;
