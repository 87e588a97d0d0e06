-- unique_job_insert.sql: The key this job was pushed with.
-- hot
INSERT INTO errand_unique_jobs(job, key, ttl_ms, until) VALUES(?1, ?2, ?3, ?4);
