-- limits_ready.sql: Jobs that bring limits, or may be under one, at the heads of the lines.
SELECT id FROM errand_ready WHERE priority < 2147483648 LIMIT ?1;
