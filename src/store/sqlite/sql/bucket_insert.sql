-- bucket_insert.sql: The first use of a name and key.
INSERT INTO errand_buckets(name, key, running, longest_ms) VALUES(?1, ?2, 0, 0);
