-- queues_read.sql: All queues with their counters, by name. READY is two counters (0003-pushed.sql).
SELECT q.id, q.name, q.held, q.scheduled,
       q.ready + coalesce((SELECT r.id FROM errand_ready AS r WHERE r.queue = q.id AND r.priority = 2147483648), 0),
       q.running, q.completed, q.failed, q.cancelled, q.paused_until
  FROM errand_queues AS q
 WHERE q.id > 0
 ORDER BY q.name;
