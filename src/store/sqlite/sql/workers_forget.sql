-- workers_forget.sql: Silent for an hour. There are few workers: it reads them all.
DELETE FROM errand_workers WHERE until_ms <= ?1;
