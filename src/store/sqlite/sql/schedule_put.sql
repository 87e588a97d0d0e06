-- schedule_put.sql: A schedule; what it has fired stays when it is put again.
INSERT INTO errand_schedules(name, spec, paused, next_ms, last_slot_ms, last_job, missed_n) VALUES(?1, ?2, ?3, ?4, 0, '', 0)
    ON CONFLICT(name) DO UPDATE SET spec = excluded.spec, next_ms = excluded.next_ms;
