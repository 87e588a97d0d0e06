-- batch_read.sql: A batch with its counts.
-- hot
SELECT uid, name, allow_failures, is_cancelled, total, pending, failed, cancelled, created_at, ended_at, options
  FROM errand_batches
 WHERE id = ?1;
