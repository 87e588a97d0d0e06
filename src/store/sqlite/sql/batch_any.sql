-- batch_any.sql: Has the batch a job that is here?
-- hot
SELECT job FROM errand_batch_jobs WHERE batch = ?1 LIMIT 1;
