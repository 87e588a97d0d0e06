-- ready_find.sql: Is it in the line? A job in state 2 that is neither here nor parked is RUNNING.
-- hot
SELECT id FROM errand_ready WHERE queue = ?1 AND priority = ?2 AND run_at = ?3 AND id = ?4;
