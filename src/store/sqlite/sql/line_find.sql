-- line_find.sql: The line of a bucket for these numbers.
-- hot
SELECT id, parked, wake_at FROM errand_lines WHERE bucket = ?1 AND kind = ?2 AND n = ?3 AND per_ms = ?4;
