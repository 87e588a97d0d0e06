-- unique_key_free.sql: The claim ends with its job.
-- hot
DELETE FROM errand_unique_keys WHERE key = ?1 AND job = ?2;
