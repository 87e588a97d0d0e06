-- edge_status.sql: An edge is decided, or open again.
-- hot
UPDATE errand_edges SET status = ?5 WHERE kind = ?1 AND parent = ?2 AND child = ?3 AND n = ?4;
