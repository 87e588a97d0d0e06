-- batch_job_insert.sql: A member.
-- hot
INSERT INTO errand_batch_jobs(batch, job) VALUES(?1, ?2);
