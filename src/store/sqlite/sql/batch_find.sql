-- batch_find.sql: The number of a batch.
-- hot
SELECT id FROM errand_batches WHERE uid = ?1;
