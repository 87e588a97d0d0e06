-- starts_read.sql: Starts, oldest first; those that matter to nobody are few, they go with the next one.
-- hot
SELECT at_ms, n FROM errand_starts WHERE bucket = ?1 ORDER BY at_ms;
