-- batch_jobs_read.sql: The members in order of insertion.
-- hot
SELECT job FROM errand_batch_jobs WHERE batch = ?1 ORDER BY job;
