-- attempts_trim.sql: Only the last ?2 are kept.
-- hot
DELETE FROM errand_attempts
 WHERE job = ?1 AND seq <= (SELECT max(seq) FROM errand_attempts WHERE job = ?1) - ?2;
