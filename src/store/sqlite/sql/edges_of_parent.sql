-- edges_of_parent.sql: Who waits for this job or batch?
-- hot
-- plan: USING PRIMARY KEY (kind=? AND parent=?)
SELECT child, n, on_end, status FROM errand_edges WHERE kind = ?1 AND parent = ?2 ORDER BY child, n;
