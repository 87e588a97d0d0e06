-- unique_keys_over.sql: Claims whose time is over, a few at a time.
-- plan: USING COVERING INDEX errand_unique_keys_until (until_ms<?)
DELETE FROM errand_unique_keys
 WHERE key IN (SELECT key FROM errand_unique_keys WHERE until_ms <= ?1 AND until_ms < 9223372036854775807 LIMIT ?2);
