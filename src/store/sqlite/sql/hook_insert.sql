-- hook_insert.sql: A failed job whose hook is due, in the order of their failures.
INSERT OR IGNORE INTO errand_hooks(queue, ended_at, id) SELECT queue, ended_at, id FROM errand_jobs WHERE id = ?1;
