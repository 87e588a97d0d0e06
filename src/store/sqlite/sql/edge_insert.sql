-- edge_insert.sql: child waits for parent.
-- hot
INSERT INTO errand_edges(kind, parent, child, n, on_end, status) VALUES(?1, ?2, ?3, ?4, ?5, ?6);
