-- limit_delete.sql: Removes a limit.
DELETE FROM errand_limits WHERE name = ?1;
