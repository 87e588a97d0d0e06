-- job_delete_run.sql: The same run leaves the living. NOT INDEXED: see docs/stores/sqlite.md, the planner may prefer worse.
-- hot
-- plan: SEARCH errand_jobs USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)
DELETE FROM errand_jobs NOT INDEXED WHERE id BETWEEN ?1 AND ?2 AND flags & ?3 = 0;
