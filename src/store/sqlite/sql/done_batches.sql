-- done_batches.sql: Of which batch each of a run of jobs is a member. ?3: flags that forbid it.
-- hot
-- plan: SEARCH errand_jobs USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)
SELECT batch FROM errand_jobs NOT INDEXED WHERE id BETWEEN ?1 AND ?2 AND flags & ?3 = 0 AND batch IS NOT NULL;
