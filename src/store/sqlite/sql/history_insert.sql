-- history_insert.sql: A completed job with all it left. Its limits are nobody's business any more, its key may be.
-- hot
INSERT INTO errand_history(id, queue, name, priority, run_at, attempt, tries, flags, created_at, batch, options, payload, started_at, ran_ms,
                           ended_at, max_rss_kib, cpu_ms, worker, result, asks)
    SELECT id, queue, name, priority, run_at, attempt + 1, tries, flags, created_at, batch, options, payload, ?2, ?3, ?4, ?5, ?6,
           ?7, ?8, CASE WHEN flags & 1 THEN asks END
      FROM errand_jobs
     WHERE id = ?1;
