-- workers_read.sql: Workers that are not forgotten, by id.
SELECT worker, info, since_ms, seen_ms, until_ms FROM errand_workers WHERE until_ms > ?1 ORDER BY worker;
