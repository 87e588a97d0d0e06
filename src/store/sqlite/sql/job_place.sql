-- job_place.sql: A move that keeps the row: state, time and attempts.
-- hot
UPDATE errand_jobs SET state = ?2, run_at = ?3, attempt = ?4, waits = ?5, priority = ?6 WHERE id = ?1;
