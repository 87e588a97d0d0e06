-- parked_of_limit.sql: Jobs that are known to wait at a limit.
SELECT coalesce(sum(l.parked), 0) FROM errand_buckets AS b JOIN errand_lines AS l ON l.bucket = b.id WHERE b.name = ?1;
