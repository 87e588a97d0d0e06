-- edit_tries.sql: The operator gives more or fewer tries.
UPDATE errand_jobs SET tries = ?2 WHERE id = ?1;
