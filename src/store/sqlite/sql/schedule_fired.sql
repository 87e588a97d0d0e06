-- schedule_fired.sql: A slot is recorded; ?5 is how many went without a job.
-- hot
UPDATE errand_schedules SET last_slot_ms = ?2, next_ms = ?3, last_job = ?4, missed_n = missed_n + ?5 WHERE name = ?1;
