-- line_read.sql: A line, by number.
-- hot
SELECT id, bucket, kind, n, per_ms, parked, wake_at FROM errand_lines WHERE id = ?1;
