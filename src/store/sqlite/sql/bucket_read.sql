-- bucket_read.sql: What is used, by number.
-- hot
SELECT name, key FROM errand_buckets WHERE id = ?1;
