-- bucket_find.sql: What is used of a name and key.
-- hot
SELECT id, running, longest_ms, recent, newest_ms, older_n, older_ms FROM errand_buckets WHERE name = ?1 AND key = ?2;
