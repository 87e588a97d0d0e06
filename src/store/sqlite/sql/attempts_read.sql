-- attempts_read.sql: The attempts of a job, oldest first.
-- hot
SELECT n, started_at, ended_at, worker, outcome, cause, exit_code, signal, max_rss_kib, cpu_ms, error, log
  FROM errand_attempts
 WHERE job = ?1
 ORDER BY seq;
