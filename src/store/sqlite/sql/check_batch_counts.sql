-- check_batch_counts.sql: A batch has ended exactly when nobody is unfinished.
SELECT 'batch ''' || uid || ''' has ' || pending || ' unfinished members and ended at ' || ended_at
  FROM errand_batches
 WHERE (pending = 0) <> (ended_at <> 0)
UNION ALL
SELECT 'batch ''' || uid || ''' has more members in its counts than in all'
  FROM errand_batches
 WHERE failed + cancelled + pending > total;
