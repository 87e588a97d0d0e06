-- progress_delete.sql: It no longer runs.
-- hot
DELETE FROM errand_progress WHERE job = ?1;
