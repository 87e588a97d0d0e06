-- batches_forgotten.sql: Batches that ended long ago and have no job left.
SELECT id FROM errand_batches AS b
 WHERE b.ended_at > 0 AND b.ended_at <= ?1 AND NOT EXISTS(SELECT 1 FROM errand_batch_jobs AS m WHERE m.batch = b.id);
