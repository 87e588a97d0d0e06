-- lock_delete.sql: Gives a lock back.
-- hot
DELETE FROM errand_locks WHERE key = ?1;
