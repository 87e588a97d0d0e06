-- job_waits.sql: One of the edges that it came with is satisfied from the start.
UPDATE errand_jobs SET waits = waits - 1 WHERE id = ?1;
