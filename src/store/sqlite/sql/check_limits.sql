-- check_limits.sql: What is counted as used or waiting at limits.
SELECT 'bucket ' || b.id || ' of limit ''' || b.name || ''' counts ' || b.running || ' running jobs and has ' || n.n
  FROM errand_buckets AS b,
       (SELECT b.id, (SELECT count(*) FROM errand_holds AS h WHERE h.bucket = b.id) AS n FROM errand_buckets AS b) AS n
 WHERE n.id = b.id AND n.n <> b.running
UNION ALL
SELECT 'bucket ' || b.id || ' of limit ''' || b.name || ''' counts ' || b.older_n || ' older starts and has ' || n.n
  FROM errand_buckets AS b,
       (SELECT b.id, (SELECT coalesce(sum(s.n), 0) FROM errand_starts AS s WHERE s.bucket = b.id) AS n FROM errand_buckets AS b) AS n
 WHERE n.id = b.id AND n.n <> b.older_n
UNION ALL
SELECT 'line ' || l.id || ' counts ' || l.parked || ' parked jobs and has ' || n.n
  FROM errand_lines AS l,
       (SELECT l.id, (SELECT count(*) FROM errand_parked AS p WHERE p.line = l.id) AS n FROM errand_lines AS l) AS n
 WHERE n.id = l.id AND n.n <> l.parked
UNION ALL
SELECT 'job ' || p.id || ' is parked in a line that is not there' FROM errand_parked AS p
 WHERE NOT EXISTS(SELECT 1 FROM errand_lines AS l WHERE l.id = p.line);
