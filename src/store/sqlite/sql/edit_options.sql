-- edit_options.sql: The operator gives other options.
UPDATE errand_jobs SET options = ?2 WHERE id = ?1;
