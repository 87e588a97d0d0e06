-- parked_delete.sql: Out of the line of a limit, alone.
-- hot
DELETE FROM errand_parked WHERE line = ?1 AND queue = ?2 AND priority = ?3 AND run_at = ?4 AND id = ?5;
