-- history_insert_run.sql: A run of consecutive ids that ended together, in one statement: half the cost of one by one. Their times are those
-- of the first, at most a few ms off (settle.c). ?9: flags that forbid it.
-- hot
-- plan: SEARCH errand_jobs USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)
INSERT INTO errand_history(id, queue, name, priority, run_at, attempt, tries, flags, created_at, batch, options, payload, started_at, ran_ms,
                           ended_at, max_rss_kib, cpu_ms, worker)
    SELECT id, queue, name, priority, run_at, attempt + 1, tries, flags, created_at, batch, options, payload, ?3, ?4, ?5, ?6, ?7,
           ?8
      FROM errand_jobs NOT INDEXED
     WHERE id BETWEEN ?1 AND ?2 AND flags & ?9 = 0;
