-- edges_delete_child.sql: The child is gone.
-- hot
-- plan: INDEX errand_edges_child (child=?)
DELETE FROM errand_edges WHERE child = ?1;
