-- leases_read.sql: All leases; there are about as many as runners.
SELECT token, until_ms, boot, started_at, worker, jobs FROM errand_leases;
