-- hooks_delete_to.sql: All that were handed out.
DELETE FROM errand_hooks WHERE queue = ?1 AND (ended_at, id) <= (?2, ?3);
