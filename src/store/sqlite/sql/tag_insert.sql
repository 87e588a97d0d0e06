-- tag_insert.sql: A tag of a job.
-- hot
INSERT INTO errand_tags(job, n, tag) VALUES(?1, ?2, ?3);
