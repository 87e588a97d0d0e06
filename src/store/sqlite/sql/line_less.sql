-- line_less.sql: One of the line is gone by itself.
-- hot
UPDATE errand_lines SET parked = parked - 1 WHERE id = ?1;
