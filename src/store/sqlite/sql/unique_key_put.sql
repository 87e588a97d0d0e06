-- unique_key_put.sql: The key is taken. A claim that was over is overwritten.
-- hot
INSERT INTO errand_unique_keys(key, job, until_ms) VALUES(?1, ?2, ?3)
    ON CONFLICT(key) DO UPDATE SET job = excluded.job, until_ms = excluded.until_ms, uid = NULL;
