-- root_read.sql: The root row, at the start of every write.
-- hot
SELECT next_id, next_token, next_seq, last_ms, control, follow_until, extras
  FROM errand_queues
 WHERE id = 0;
