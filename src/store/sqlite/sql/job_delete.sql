-- job_delete.sql: A job that is gone from the living.
-- hot
DELETE FROM errand_jobs WHERE id = ?1;
