-- due_delete_to.sql: All of a queue up to the last that was read.
-- hot
DELETE FROM errand_scheduled WHERE queue = ?1 AND (run_at, id) <= (?2, ?3);
