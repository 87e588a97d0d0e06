-- schedule_read.sql: What fire must know.
-- hot
SELECT paused, last_slot_ms, last_job FROM errand_schedules WHERE name = ?1;
