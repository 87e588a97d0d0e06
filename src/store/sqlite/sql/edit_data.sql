-- edit_data.sql: The operator gives other data.
UPDATE errand_jobs SET payload = ?2 WHERE id = ?1;
