-- find_job.sql: A living job, as the scans show it.
-- hot
SELECT id, queue, name, state, created_at, ended_at, batch, flags FROM errand_jobs WHERE id = ?1;
