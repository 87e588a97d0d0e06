-- job_tried.sql: What the last attempt left behind.
-- hot
UPDATE errand_jobs SET started_at = ?2, worker = ?3, error = ?4 WHERE id = ?1;
