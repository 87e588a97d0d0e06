-- stat_read.sql: The histograms of one row, to be added to.
-- hot
SELECT run_hist, wait_hist FROM errand_stats WHERE minute_ms = ?1 AND queue = ?2 AND name = ?3;
