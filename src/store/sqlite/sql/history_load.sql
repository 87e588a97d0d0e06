-- history_load.sql: A job that completed in another store.
-- hot
INSERT INTO errand_history(id, queue, name, priority, run_at, attempt, tries, flags, created_at, batch, started_at, ran_ms,
                           ended_at, max_rss_kib, cpu_ms, worker, options, payload, result, asks)
    VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20);
