-- tag_find.sql: Has the job this tag?
-- hot
SELECT 1 FROM errand_tags WHERE job = ?1 AND tag = ?2 LIMIT 1;
