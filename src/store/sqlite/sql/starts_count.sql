-- starts_count.sql: How many starts there are after ?2, and when the oldest was: what is before is to be forgotten.
-- hot
-- plan: USING PRIMARY KEY (bucket=? AND at_ms>?)
SELECT ifnull(sum(n), 0), (SELECT at_ms FROM errand_starts WHERE bucket = ?1 ORDER BY at_ms LIMIT 1)
  FROM errand_starts
 WHERE bucket = ?1 AND at_ms > ?2;
