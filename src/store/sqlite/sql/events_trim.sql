-- events_trim.sql: The ring is full: the oldest go.
-- hot
-- plan: INTEGER PRIMARY KEY (rowid<?)
DELETE FROM errand_events WHERE seq <= ?1;
