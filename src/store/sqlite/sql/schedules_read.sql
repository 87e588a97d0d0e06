-- schedules_read.sql: All schedules, by name.
SELECT name, spec, paused, next_ms, last_slot_ms, last_job, missed_n FROM errand_schedules ORDER BY name;
