-- queues_look.sql: The same of all queues.
SELECT q.id, q.paused_until,
       q.ready + coalesce((SELECT r.id FROM errand_ready AS r WHERE r.queue = q.id AND r.priority = 2147483648), 0),
       q.parked, q.scheduled
  FROM errand_queues AS q
 WHERE q.id > 0
 ORDER BY q.id;
