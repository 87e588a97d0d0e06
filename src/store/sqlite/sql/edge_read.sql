-- edge_read.sql: How an edge stands now.
-- hot
SELECT status FROM errand_edges WHERE kind = ?1 AND parent = ?2 AND child = ?3 AND n = ?4;
