-- history_flags.sql: Sets and clears flags of a job that has completed.
-- hot
UPDATE errand_history SET flags = (flags | ?2) & ~?3 WHERE id = ?1;
