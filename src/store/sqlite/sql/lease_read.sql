-- lease_read.sql: A lease, for the fence: once a token.
-- hot
SELECT token, until_ms, boot, started_at, worker, jobs FROM errand_leases WHERE token = ?1;
