-- edges_lift.sql: The parent is gone: what stood against its children counts no more. First, before its edges are deleted.
UPDATE errand_jobs
   SET waits = waits - (SELECT count(*) FROM errand_edges AS e
                         WHERE e.kind = ?1 AND e.parent = ?2 AND e.child = errand_jobs.id AND e.status <> 1)
 WHERE id IN (SELECT child FROM errand_edges WHERE kind = ?1 AND parent = ?2 AND status <> 1);
