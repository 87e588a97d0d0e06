-- parked_oldest.sql: The oldest of a queue that waits at a limit.
SELECT min(run_at) FROM errand_parked WHERE queue = ?1;
