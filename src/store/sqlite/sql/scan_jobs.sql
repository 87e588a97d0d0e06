-- scan_jobs.sql: The living from a number on.
-- hot
-- plan: INTEGER PRIMARY KEY (rowid>?)
SELECT id, queue, name, state, created_at, ended_at, batch, flags FROM errand_jobs WHERE id > ?1 ORDER BY id;
