-- id_check.sql: Is a job known by the id that we have computed? Not when it has one of its own.
-- hot
SELECT id FROM errand_jobs WHERE id = ?1 AND created_at = ?2 AND flags & ?3 = 0
UNION ALL
SELECT id FROM errand_history WHERE id = ?1 AND created_at = ?2 AND flags & ?3 = 0;
