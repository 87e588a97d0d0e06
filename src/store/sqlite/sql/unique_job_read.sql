-- unique_job_read.sql: The key this job was pushed with.
-- hot
SELECT key, ttl_ms, until FROM errand_unique_jobs WHERE job = ?1;
