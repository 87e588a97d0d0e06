-- edges_of_child.sql: What does this job wait for?
-- hot
-- plan: INDEX errand_edges_child (child=?)
SELECT kind, parent, on_end, status FROM errand_edges WHERE child = ?1;
