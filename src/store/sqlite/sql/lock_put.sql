-- lock_put.sql: Takes or renews a lock.
-- hot
INSERT INTO errand_locks(key, owner, token, until_ms, boot) VALUES(?1, ?2, ?3, ?4, ?5)
    ON CONFLICT(key) DO UPDATE SET owner = excluded.owner, token = excluded.token, until_ms = excluded.until_ms,
                                   boot = excluded.boot;
