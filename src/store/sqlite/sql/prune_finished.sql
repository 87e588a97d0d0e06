-- prune_finished.sql: FAILED or CANCELLED jobs of a queue in order of their end.
SELECT id, ended_at FROM errand_finished WHERE state = ?1 AND queue = ?2 ORDER BY ended_at, id;
