-- lock_read.sql: Who holds a lock.
-- hot
SELECT owner, token, until_ms, boot FROM errand_locks WHERE key = ?1;
