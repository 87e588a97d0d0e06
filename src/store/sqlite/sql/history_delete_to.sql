-- history_delete_to.sql: The oldest of a queue, up to the last that was read.
-- hot
-- plan: INDEX errand_history_queue (queue=? AND rowid<?)
DELETE FROM errand_history WHERE queue = ?1 AND id <= ?2;
