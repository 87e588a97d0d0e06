-- edges_standing.sql: Does anybody still wait for this job or batch, or was it against somebody?
-- hot
SELECT 1 FROM errand_edges WHERE kind = ?1 AND parent = ?2 AND status <> 1 LIMIT 1;
