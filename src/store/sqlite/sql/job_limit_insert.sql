-- job_limit_insert.sql: A limit that a job brings along.
-- hot
INSERT INTO errand_job_limits(job, seq, name, key, kind, n, per_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7);
