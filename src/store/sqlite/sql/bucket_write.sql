-- bucket_write.sql: What is used now: once a bucket and transaction.
-- hot
UPDATE errand_buckets SET running = ?2, longest_ms = ?3 WHERE id = ?1;
