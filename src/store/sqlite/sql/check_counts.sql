-- check_counts.sql: Counters of queues against the rows.
WITH counted AS (
    SELECT id, name, held, scheduled, running, completed, failed, cancelled, parked,
           ready + coalesce((SELECT r.id FROM errand_ready AS r WHERE r.queue = q.id AND r.priority = 2147483648), 0) AS ready
      FROM errand_queues AS q)
SELECT 'queue ''' || q.name || ''' counts ' || q.held || ' held jobs and has ' || n.n
  FROM counted AS q, (SELECT q.id, (SELECT count(*) FROM errand_jobs AS j WHERE j.queue = q.id AND j.state = 0) AS n FROM errand_queues AS q) AS n
 WHERE n.id = q.id AND q.id > 0 AND n.n <> q.held
UNION ALL
SELECT 'queue ''' || q.name || ''' counts ' || q.scheduled || ' scheduled jobs and has ' || n.n
  FROM counted AS q, (SELECT q.id, (SELECT count(*) FROM errand_jobs AS j WHERE j.queue = q.id AND j.state = 1) AS n FROM errand_queues AS q) AS n
 WHERE n.id = q.id AND q.id > 0 AND n.n <> q.scheduled
UNION ALL
SELECT 'queue ''' || q.name || ''' counts ' || q.failed || ' failed jobs and has ' || n.n
  FROM counted AS q, (SELECT q.id, (SELECT count(*) FROM errand_jobs AS j WHERE j.queue = q.id AND j.state = 5) AS n FROM errand_queues AS q) AS n
 WHERE n.id = q.id AND q.id > 0 AND n.n <> q.failed
UNION ALL
SELECT 'queue ''' || q.name || ''' counts ' || q.cancelled || ' cancelled jobs and has ' || n.n
  FROM counted AS q, (SELECT q.id, (SELECT count(*) FROM errand_jobs AS j WHERE j.queue = q.id AND j.state = 6) AS n FROM errand_queues AS q) AS n
 WHERE n.id = q.id AND q.id > 0 AND n.n <> q.cancelled
UNION ALL
SELECT 'queue ''' || q.name || ''' counts ' || (q.ready + q.running) || ' ready or running jobs and has ' || n.n
  FROM counted AS q, (SELECT q.id, (SELECT count(*) FROM errand_jobs AS j WHERE j.queue = q.id AND j.state = 2) AS n FROM errand_queues AS q) AS n
 WHERE n.id = q.id AND q.id > 0 AND n.n <> q.ready + q.running
UNION ALL
SELECT 'queue ''' || q.name || ''' counts ' || q.completed || ' completed jobs and has ' || n.n
  FROM counted AS q, (SELECT q.id, (SELECT count(*) FROM errand_history AS h WHERE h.queue = q.id) AS n FROM errand_queues AS q) AS n
 WHERE n.id = q.id AND q.id > 0 AND n.n <> q.completed
UNION ALL
SELECT 'queue ''' || q.name || ''' counts ' || q.ready || ' ready and ' || q.parked || ' parked jobs and has ' || n.n || ' and ' || n.p
  FROM counted AS q,
       (SELECT q.id, (SELECT count(*) FROM errand_ready AS r WHERE r.queue = q.id AND r.priority < 2147483648) AS n,
               (SELECT count(*) FROM errand_parked AS p WHERE p.queue = q.id) AS p FROM errand_queues AS q) AS n
 WHERE n.id = q.id AND q.id > 0 AND (n.n + n.p <> q.ready OR n.p <> q.parked);
