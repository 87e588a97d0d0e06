-- edges_delete_parent.sql: The parent is gone.
-- hot
DELETE FROM errand_edges WHERE kind = ?1 AND parent = ?2;
