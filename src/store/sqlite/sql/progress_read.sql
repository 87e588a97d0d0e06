-- progress_read.sql: How far it is.
-- hot
SELECT percent, note FROM errand_progress WHERE job = ?1;
