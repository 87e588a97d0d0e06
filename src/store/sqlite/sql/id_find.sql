-- id_find.sql: The job that has this id by a caller's wish.
-- hot
SELECT job FROM errand_ids WHERE uid = ?1;
