-- lease_extend.sql: Pushes a lease forward.
-- hot
UPDATE errand_leases SET until_ms = ?2, boot = ?3 WHERE token = ?1;
