-- asks_read.sql: The key and the limits of a job, living or completed.
-- hot
SELECT asks FROM errand_jobs WHERE id = ?1
 UNION ALL
SELECT asks FROM errand_history WHERE id = ?1;
