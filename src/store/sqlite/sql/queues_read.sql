-- queues_read.sql: All queues with their counters, by name.
SELECT id, name, held, scheduled, ready, running, completed, failed, cancelled, paused_until
  FROM errand_queues
 WHERE id > 0
 ORDER BY name;
