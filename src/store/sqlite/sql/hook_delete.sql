-- hook_delete.sql: The hook is handed out, or no longer due.
DELETE FROM errand_hooks
 WHERE queue = ?1 AND ended_at = (SELECT ended_at FROM errand_jobs WHERE id = ?2) AND id = ?2;
