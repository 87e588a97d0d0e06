-- unique_key_orphan.sql: The job is pruned, its claim stays until its time: the id is kept as text.
UPDATE errand_unique_keys SET job = 0, uid = ?3 WHERE key = ?1 AND job = ?2;
