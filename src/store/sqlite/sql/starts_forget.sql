-- starts_forget.sql: Starts that matter to nobody.
-- hot
DELETE FROM errand_starts WHERE bucket = ?1 AND at_ms <= ?2;
