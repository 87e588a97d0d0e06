-- unique_job_delete.sql: The job is gone.
-- hot
DELETE FROM errand_unique_jobs WHERE job = ?1;
