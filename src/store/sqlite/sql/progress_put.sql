-- progress_put.sql: How far a running job is.
-- hot
INSERT INTO errand_progress(job, percent, note) VALUES(?1, ?2, ?3)
    ON CONFLICT(job) DO UPDATE SET percent = excluded.percent, note = excluded.note;
