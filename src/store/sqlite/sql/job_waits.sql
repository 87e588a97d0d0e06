-- job_waits.sql: One more edge: ?2 is 1 when it is not satisfied.
UPDATE errand_jobs SET waits = waits + ?2, flags = flags | ?3 WHERE id = ?1;
