-- job_finish.sql: FAILED or CANCELLED: the row stays.
-- hot
UPDATE errand_jobs SET state = ?2, attempt = ?3, ended_at = ?4 WHERE id = ?1;
