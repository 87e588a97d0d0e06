-- root_write.sql: The root row, once a transaction and only when something in it has changed.
-- hot
UPDATE errand_queues
   SET next_id = ?1, next_token = ?2, next_seq = ?3, last_ms = ?4, control = ?5, follow_until = ?6, extras = ?7
 WHERE id = 0;
