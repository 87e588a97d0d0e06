-- lines_of_limit.sql: All lines of a limit.
SELECT l.id, l.bucket, l.kind, l.n, l.per_ms, l.parked, l.wake_at
  FROM errand_buckets AS b JOIN errand_lines AS l ON l.bucket = b.id
 WHERE b.name = ?1;
