-- ready_insert.sql: READY: in the line of its queue.
-- hot
INSERT INTO errand_ready(queue, priority, run_at, id) VALUES(?1, ?2, ?3, ?4);
