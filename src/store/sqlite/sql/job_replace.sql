-- job_replace.sql: The waiting holder of a unique key takes what the newcomer brings.
UPDATE errand_jobs SET payload = ?2, options = ?3 WHERE id = ?1;
