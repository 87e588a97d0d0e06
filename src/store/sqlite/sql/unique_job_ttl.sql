-- unique_job_ttl.sql: Replaced or put off: the key is held for another time.
UPDATE errand_unique_jobs SET ttl_ms = ?2 WHERE job = ?1;
