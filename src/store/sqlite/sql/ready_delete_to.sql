-- ready_delete_to.sql: All of a queue up to the last row that was read: one range, half the cost of deleting by id.
-- hot
-- plan: PRIMARY KEY (queue=? AND (priority,run_at,id)<(?,?,?))
DELETE FROM errand_ready WHERE queue = ?1 AND (priority, run_at, id) <= (?2, ?3, ?4);
