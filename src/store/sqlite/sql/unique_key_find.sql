-- unique_key_find.sql: Who holds the key?
-- hot
SELECT job, until_ms, uid FROM errand_unique_keys WHERE key = ?1;
