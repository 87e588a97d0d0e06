-- prune_history.sql: Completed jobs of a queue in order of their end: it reads the queue's history, pruning is rare.
SELECT id, ended_at FROM errand_history WHERE queue = ?1 ORDER BY ended_at, id;
