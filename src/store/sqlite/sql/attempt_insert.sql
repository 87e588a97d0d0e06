-- attempt_insert.sql: How an attempt ended.
-- hot
INSERT INTO errand_attempts(job, seq, n, started_at, ended_at, worker, outcome, cause, exit_code, signal, max_rss_kib, cpu_ms,
                            error, log)
    SELECT ?1, coalesce(max(seq), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13
      FROM errand_attempts
     WHERE job = ?1;
