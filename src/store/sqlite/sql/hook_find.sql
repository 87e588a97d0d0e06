-- hook_find.sql: Is the hook of this failed job due?
-- hot
SELECT id FROM errand_hooks
 WHERE queue = ?1 AND ended_at = (SELECT ended_at FROM errand_jobs WHERE id = ?2) AND id = ?2;
