-- line_delete.sql: Nobody waits there any more.
-- hot
DELETE FROM errand_lines WHERE id = ?1;
