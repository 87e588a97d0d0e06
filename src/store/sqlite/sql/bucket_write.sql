-- bucket_write.sql: What is used now: once a bucket and transaction.
-- hot
UPDATE errand_buckets
   SET running = ?2, longest_ms = ?3, recent = ?4, newest_ms = ?5, older_n = ?6, older_ms = ?7
 WHERE id = ?1;
