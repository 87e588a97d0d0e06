-- meta_get.sql: One fact about the store.
-- hot
SELECT value FROM errand_meta WHERE key = ?1;
