-- scheduled_insert.sql: SCHEDULED: waits for its time.
-- hot
INSERT INTO errand_scheduled(queue, run_at, id, priority) VALUES(?1, ?2, ?3, ?4);
