-- finished_insert.sql: So that lists of FAILED and CANCELLED do not walk the waiting ones.
-- hot
INSERT INTO errand_finished(state, id, ended_at, queue) VALUES(?1, ?2, ?3, ?4);
