-- lines_due.sql: Lines that time lets go on.
-- hot
-- plan: INDEX errand_lines_wake (wake_at<?)
SELECT id, bucket, kind, n, per_ms, parked, wake_at FROM errand_lines WHERE wake_at <= ?1 ORDER BY wake_at LIMIT 100;
