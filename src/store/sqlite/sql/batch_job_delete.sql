-- batch_job_delete.sql: The member is gone; what it counted stays.
DELETE FROM errand_batch_jobs
 WHERE job = ?1
   AND batch = (SELECT batch FROM errand_jobs WHERE id = ?1 UNION ALL SELECT batch FROM errand_history WHERE id = ?1);
