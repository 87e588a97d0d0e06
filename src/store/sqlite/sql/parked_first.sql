-- parked_first.sql: The first of a queue in this line.
-- hot
SELECT priority, run_at, id FROM errand_parked WHERE line = ?1 AND queue = ?2 ORDER BY priority, run_at, id LIMIT ?3;
