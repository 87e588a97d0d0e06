-- limits_ready.sql: Jobs that bring limits, or may be under one, at the heads of the lines.
SELECT id FROM errand_ready LIMIT ?1;
