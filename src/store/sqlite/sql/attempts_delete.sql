-- attempts_delete.sql: The job is gone.
-- hot
DELETE FROM errand_attempts WHERE job = ?1;
