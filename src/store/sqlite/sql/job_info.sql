-- job_info.sql: All that a list shows of a living job.
-- hot
SELECT priority, run_at, attempt, tries, waits, started_at, ended_at, worker, error, payload, options, NULL, NULL, NULL, NULL
  FROM errand_jobs
 WHERE id = ?1;
