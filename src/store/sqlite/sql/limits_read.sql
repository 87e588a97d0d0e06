-- limits_read.sql: The limits that are set, by name.
SELECT name, kind, scope, target, n, per_ms FROM errand_limits ORDER BY name;
