-- tags_delete.sql: The job is gone.
-- hot
DELETE FROM errand_tags WHERE job = ?1;
