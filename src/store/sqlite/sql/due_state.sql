-- due_state.sql: SCHEDULED becomes READY.
-- hot
UPDATE errand_jobs SET state = 2 WHERE id = ?1;
