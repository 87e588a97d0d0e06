-- worker_find.sql: Since when a worker is known.
SELECT since_ms FROM errand_workers WHERE worker = ?1;
