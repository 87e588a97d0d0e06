-- batch_delete.sql: A batch is forgotten.
DELETE FROM errand_batches WHERE id = ?1;
