-- leases_over.sql: Leases that are over, and all of an earlier boot.
SELECT token, until_ms, boot, started_at, worker, jobs FROM errand_leases WHERE until_ms <= ?1 OR boot <> ?2 ORDER BY token;
