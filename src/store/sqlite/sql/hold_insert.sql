-- hold_insert.sql: A running job counts in a bucket.
-- hot
INSERT OR IGNORE INTO errand_holds(job, bucket) VALUES(?1, ?2);
