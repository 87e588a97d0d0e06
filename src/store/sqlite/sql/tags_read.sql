-- tags_read.sql: The tags of a job, in the order given.
-- hot
SELECT tag FROM errand_tags WHERE job = ?1 ORDER BY n;
