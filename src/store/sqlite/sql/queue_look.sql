-- queue_look.sql: What reserve must know about a queue before it looks into it.
-- hot
SELECT id, paused_until, ready, parked, scheduled FROM errand_queues WHERE id = ?1;
