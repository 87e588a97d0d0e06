-- ready_delete.sql: Out of the line, alone.
-- hot
DELETE FROM errand_ready WHERE queue = ?1 AND priority = ?2 AND run_at = ?3 AND id = ?4;
