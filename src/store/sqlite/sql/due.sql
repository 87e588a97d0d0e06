-- due.sql: Jobs whose time has come.
-- hot
-- plan: USING PRIMARY KEY (queue=? AND run_at<?)
SELECT run_at, id, priority FROM errand_scheduled WHERE queue = ?1 AND run_at <= ?2 ORDER BY run_at, id LIMIT ?3;
