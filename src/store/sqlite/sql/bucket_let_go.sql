-- bucket_let_go.sql: Nobody is counted as running under it.
UPDATE errand_buckets SET running = 0 WHERE id = ?1;
