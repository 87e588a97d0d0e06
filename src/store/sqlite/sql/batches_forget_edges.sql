-- batches_forget_edges.sql: Who waited for a batch that goes has been told long ago.
DELETE FROM errand_edges
 WHERE kind = 1
   AND parent IN (SELECT id FROM errand_batches AS b
     WHERE b.ended_at > 0 AND b.ended_at <= ?1 AND NOT EXISTS(SELECT 1 FROM errand_batch_jobs AS m WHERE m.batch = b.id));
