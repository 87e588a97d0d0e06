-- id_text.sql: The id that a caller gave to this job.
-- hot
SELECT uid FROM errand_ids WHERE job = ?1;
