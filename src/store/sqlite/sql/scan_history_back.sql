-- scan_history_back.sql: The completed from a number back.
-- hot
-- plan: INTEGER PRIMARY KEY (rowid<?)
SELECT id, queue, name, 4, created_at, ended_at, batch, flags FROM errand_history WHERE id < ?1 ORDER BY id DESC;
