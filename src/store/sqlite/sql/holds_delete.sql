-- holds_delete.sql: It no longer runs.
-- hot
DELETE FROM errand_holds WHERE job = ?1;
