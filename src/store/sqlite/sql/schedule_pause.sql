-- schedule_pause.sql: Paused or not.
UPDATE errand_schedules SET paused = ?2 WHERE name = ?1;
