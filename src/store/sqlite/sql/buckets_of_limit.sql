-- buckets_of_limit.sql: What is used of a limit, by key.
SELECT id, key, running FROM errand_buckets WHERE name = ?1;
