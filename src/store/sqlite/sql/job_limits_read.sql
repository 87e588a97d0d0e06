-- job_limits_read.sql: The limits that a job brings along.
-- hot
SELECT name, key, kind, n, per_ms FROM errand_job_limits WHERE job = ?1 ORDER BY seq;
