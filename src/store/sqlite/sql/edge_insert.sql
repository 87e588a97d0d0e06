-- edge_insert.sql: child waits for parent.
-- hot
INSERT OR IGNORE INTO errand_edges(kind, parent, child, on_end, status) VALUES(?1, ?2, ?3, ?4, ?5);
