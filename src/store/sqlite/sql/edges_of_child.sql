-- edges_of_child.sql: What does this job wait for? A handful: sorted when read.
-- plan: INDEX errand_edges_child (child=?)
SELECT kind, parent, n, on_end, status FROM errand_edges WHERE child = ?1 ORDER BY n;
