-- stats_forget.sql: Too old to be asked for.
-- plan: PRIMARY KEY (minute_ms<?)
DELETE FROM errand_stats WHERE minute_ms < ?1;
