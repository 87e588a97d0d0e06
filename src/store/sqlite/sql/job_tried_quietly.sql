-- job_tried_quietly.sql: The same of an attempt that brought no error: what is there stays. ?4 is not used.
-- hot
UPDATE errand_jobs SET started_at = ?2, worker = ?3, error = coalesce(?4, error) WHERE id = ?1;
