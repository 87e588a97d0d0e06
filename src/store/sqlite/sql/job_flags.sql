-- job_flags.sql: Sets and clears flags.
-- hot
UPDATE errand_jobs SET flags = (flags | ?2) & ~?3 WHERE id = ?1;
