-- name_text.sql: The text of a job name.
-- hot
SELECT name FROM errand_names WHERE id = ?1;
