-- parked_delete_to.sql: All of a queue in this line up to the last that was read.
-- hot
DELETE FROM errand_parked WHERE line = ?1 AND queue = ?2 AND (priority, run_at, id) <= (?3, ?4, ?5);
