-- texts_job.sql: What a search looks into.
-- hot
SELECT payload, error FROM errand_jobs WHERE id = ?1;
