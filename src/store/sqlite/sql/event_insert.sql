-- event_insert.sql: Something happened.
-- hot
INSERT INTO errand_events(seq, at_ms, type, job, name, queue, attempt, duration_ms, delay_ms, error)
    VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10);
