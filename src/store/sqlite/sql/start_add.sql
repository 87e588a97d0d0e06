-- start_add.sql: Starts at one moment.
-- hot
INSERT INTO errand_starts(bucket, at_ms, n) VALUES(?1, ?2, ?3)
    ON CONFLICT(bucket, at_ms) DO UPDATE SET n = n + excluded.n;
