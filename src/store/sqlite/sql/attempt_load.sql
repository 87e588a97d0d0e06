-- attempt_load.sql: How an attempt ended in another store.
-- hot
INSERT INTO errand_attempts(job, seq, n, started_at, ended_at, worker, outcome, cause, exit_code, signal, max_rss_kib, cpu_ms,
                            error, log)
    VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14);
