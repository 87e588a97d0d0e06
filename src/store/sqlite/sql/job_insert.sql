-- job_insert.sql: A job, as pushed.
-- hot
INSERT INTO errand_jobs(id, queue, name, state, priority, run_at, attempt, tries, flags, waits, created_at, batch,
                        options, payload, asks)
    VALUES(?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14);
