-- schedule_delete.sql: A schedule is gone.
DELETE FROM errand_schedules WHERE name = ?1;
