-- starts_count.sql: How many starts are in rows of their own, and the first of these.
-- hot
-- plan: USING PRIMARY KEY (bucket=?)
SELECT coalesce(sum(n), 0), coalesce(min(at_ms), 0) FROM errand_starts WHERE bucket = ?1;
