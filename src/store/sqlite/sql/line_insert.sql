-- line_insert.sql: The first that waits there.
INSERT INTO errand_lines(bucket, kind, n, per_ms, parked) VALUES(?1, ?2, ?3, ?4, 0);
