-- scan_batch_back.sql: Members of a batch from a number back.
-- hot
SELECT j.id, j.queue, j.name, j.state, j.created_at, j.ended_at, j.batch, j.flags
  FROM errand_batch_jobs AS b CROSS JOIN errand_jobs AS j ON j.id = b.job
 WHERE b.batch = ?2 AND b.job < ?1
 ORDER BY b.job DESC;
