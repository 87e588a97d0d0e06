-- starts_read.sql: Rows with starts after ?2, oldest first.
-- hot
SELECT at_ms, n, times FROM errand_starts WHERE bucket = ?1 AND at_ms > ?2 ORDER BY at_ms;
