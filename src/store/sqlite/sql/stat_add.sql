-- stat_add.sql: Sums of one minute, queue and name.
-- hot
INSERT INTO errand_stats(minute_ms, queue, name, done, failed, retried, run_ms, wait_ms, run_hist, wait_hist)
    VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
    ON CONFLICT(minute_ms, queue, name) DO UPDATE
       SET done = done + excluded.done, failed = failed + excluded.failed, retried = retried + excluded.retried,
           run_ms = run_ms + excluded.run_ms, wait_ms = wait_ms + excluded.wait_ms, run_hist = excluded.run_hist,
           wait_hist = excluded.wait_hist;
