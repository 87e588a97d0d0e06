-- worker_delete.sql: A worker says good-bye.
DELETE FROM errand_workers WHERE worker = ?1;
