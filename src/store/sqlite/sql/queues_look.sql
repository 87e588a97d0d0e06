-- queues_look.sql: The same of all queues.
SELECT id, paused_until, ready, parked, scheduled FROM errand_queues WHERE id > 0 ORDER BY id;
