-- name_find.sql: A job name.
-- hot
SELECT id FROM errand_names WHERE name = ?1;
