-- lease_insert.sql: The lease of all jobs of one reserve.
-- hot
INSERT INTO errand_leases(token, until_ms, boot, started_at, worker, jobs) VALUES(?1, ?2, ?3, ?4, ?5, ?6);
