-- parked_insert.sql: At its limit: out of the way of reserve, in the same order.
-- hot
INSERT INTO errand_parked(line, queue, priority, run_at, id) VALUES(?1, ?2, ?3, ?4, ?5);
