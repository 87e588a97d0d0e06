-- batches_read.sql: Batches, newest first.
-- plan: INTEGER PRIMARY KEY (rowid<?)
SELECT uid, name, allow_failures, is_cancelled, total, pending, failed, cancelled, created_at, ended_at, options
  FROM errand_batches
 WHERE id < ?1
 ORDER BY id DESC
 LIMIT ?2;
