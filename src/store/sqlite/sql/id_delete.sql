-- id_delete.sql: The id is free again.
DELETE FROM errand_ids WHERE job = ?1;
