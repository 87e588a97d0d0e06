-- batch_write.sql: Counts of a batch: once a batch and transaction.
-- hot
UPDATE errand_batches
   SET total = ?2, pending = ?3, failed = ?4, cancelled = ?5, ended_at = ?6, is_cancelled = ?7
 WHERE id = ?1;
