-- schedule_load.sql: A schedule of another store. One that has fired since stays: a slot never fires twice.
-- hot
INSERT INTO errand_schedules(name, spec, paused, next_ms, last_slot_ms, last_job, missed_n) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT(name) DO UPDATE SET spec = excluded.spec, paused = excluded.paused, next_ms = excluded.next_ms,
        last_slot_ms = excluded.last_slot_ms, last_job = excluded.last_job, missed_n = excluded.missed_n
     WHERE errand_schedules.last_slot_ms <= excluded.last_slot_ms;
