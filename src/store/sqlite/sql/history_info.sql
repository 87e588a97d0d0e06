-- history_info.sql: All that a list shows of a completed job.
-- hot
SELECT priority, run_at, attempt, tries, 0, started_at, ended_at, worker, NULL, payload, options, result, ran_ms, max_rss_kib, cpu_ms
  FROM errand_history
 WHERE id = ?1;
