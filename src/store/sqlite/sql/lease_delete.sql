-- lease_delete.sql: All of its jobs are settled.
-- hot
DELETE FROM errand_leases WHERE token = ?1;
