-- check_batches.sql: Members of a batch that have not ended, against its count.
SELECT 'batch ''' || b.uid || ''' counts ' || b.pending || ' unfinished members and has ' || n.n
  FROM errand_batches AS b,
       (SELECT b.id, (SELECT count(*) FROM errand_batch_jobs AS m JOIN errand_jobs AS j ON j.id = m.job
                       WHERE m.batch = b.id AND j.state <= 2) AS n FROM errand_batches AS b) AS n
 WHERE n.id = b.id AND n.n <> b.pending;
