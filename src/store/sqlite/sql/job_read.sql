-- job_read.sql: A job without its bytes.
-- hot
SELECT id, queue, name, state, priority, run_at, attempt, tries, flags, waits, created_at, batch
  FROM errand_jobs
 WHERE id = ?1;
