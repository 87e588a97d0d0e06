-- stats_read.sql: Minutes at or after, and before; queue and name or all (NULL).
-- plan: PRIMARY KEY (minute_ms>? AND minute_ms<?)
SELECT minute_ms, queue, name, done, failed, retried, run_ms, wait_ms, run_hist, wait_hist
  FROM errand_stats
 WHERE minute_ms >= ?1 AND minute_ms < ?2 AND (?3 IS NULL OR queue = ?3) AND (?4 IS NULL OR name = ?4)
 ORDER BY minute_ms, queue, name;
