-- check_edges.sql: How many others a job waits for, against its edges.
SELECT 'job ' || j.id || ' waits for ' || n.n || ' others and counts ' || j.waits
  FROM errand_jobs AS j,
       (SELECT j.id, (SELECT count(*) FROM errand_edges AS e WHERE e.child = j.id AND e.status <> 1) AS n FROM errand_jobs AS j) AS n
 WHERE n.id = j.id AND n.n <> j.waits;
