-- unique_keys_over.sql: Claims whose time is over, a few at a time.
DELETE FROM errand_unique_keys
 WHERE key IN (SELECT key FROM errand_unique_keys WHERE until_ms <= ?1 LIMIT ?2);
