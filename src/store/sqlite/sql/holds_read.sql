-- holds_read.sql: Where a running job counts.
-- hot
SELECT bucket FROM errand_holds WHERE job = ?1;
