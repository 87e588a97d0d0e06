-- scheduled_delete.sql: No longer waits for its time.
-- hot
DELETE FROM errand_scheduled WHERE queue = ?1 AND run_at = ?2 AND id = ?3;
