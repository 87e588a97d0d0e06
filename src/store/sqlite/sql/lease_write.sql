-- lease_write.sql: Some of its jobs are settled.
-- hot
UPDATE errand_leases SET jobs = ?2 WHERE token = ?1;
