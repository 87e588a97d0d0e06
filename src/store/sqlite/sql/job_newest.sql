-- job_newest.sql: When the newest job was made: numbers and times grow together.
-- hot
-- plan: errand_jobs
SELECT created_at FROM errand_jobs ORDER BY id DESC LIMIT 1;
