-- events_read.sql: Events from a number on.
-- hot
-- plan: INTEGER PRIMARY KEY (rowid>?)
SELECT seq, at_ms, type, job, name, queue, attempt, duration_ms, delay_ms, error
  FROM errand_events
 WHERE seq >= ?1
 ORDER BY seq
 LIMIT ?2;
