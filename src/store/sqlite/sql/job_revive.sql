-- job_revive.sql: Lives again: the error of its last end is gone.
UPDATE errand_jobs SET state = ?2, run_at = ?3, attempt = ?4, waits = ?5, ended_at = NULL, error = NULL WHERE id = ?1;
