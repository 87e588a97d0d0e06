-- lines_of_bucket.sql: Who waits at a bucket?
-- hot
SELECT id, bucket, kind, n, per_ms, parked, wake_at FROM errand_lines WHERE bucket = ?1;
