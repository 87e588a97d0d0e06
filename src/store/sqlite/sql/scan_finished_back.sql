-- scan_finished_back.sql: FAILED or CANCELLED jobs from a number back, past all others.
-- hot
SELECT j.id, j.queue, j.name, j.state, j.created_at, j.ended_at, j.batch, j.flags
  FROM errand_finished AS f CROSS JOIN errand_jobs AS j ON j.id = f.id
 WHERE f.state = ?2 AND f.id < ?1
 ORDER BY f.id DESC;
