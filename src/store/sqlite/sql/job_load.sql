-- job_load.sql: A job of another store that has not completed, as it was there.
-- hot
INSERT INTO errand_jobs(id, queue, name, state, priority, run_at, attempt, tries, flags, waits, created_at, batch, ended_at,
                        started_at, worker, options, payload, error, asks)
    VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19);
