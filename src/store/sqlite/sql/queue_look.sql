-- queue_look.sql: What reserve must know about a queue before it looks into it. READY is two counters (0003-pushed.sql).
-- hot
SELECT id, paused_until,
       ready + coalesce((SELECT r.id FROM errand_ready AS r WHERE r.queue = ?1 AND r.priority = 2147483648), 0),
       parked, scheduled
  FROM errand_queues
 WHERE id = ?1;
