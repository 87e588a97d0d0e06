-- find_history.sql: A completed job, as the scans show it.
-- hot
SELECT id, queue, name, 4, created_at, ended_at, batch, flags FROM errand_history WHERE id = ?1;
