-- unique_key_renew.sql: The holder was replaced or put off: a fresh time.
UPDATE errand_unique_keys SET until_ms = ?3 WHERE key = ?1 AND job = ?2;
