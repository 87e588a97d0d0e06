-- job_limits_delete.sql: The job is gone.
-- hot
DELETE FROM errand_job_limits WHERE job = ?1;
