-- batch_load.sql: A batch of another store with its counts. One that is there stays.
-- hot
INSERT INTO errand_batches(uid, name, allow_failures, is_cancelled, total, pending, failed, cancelled, created_at, ended_at, options)
    VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT(uid) DO NOTHING;
