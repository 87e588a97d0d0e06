-- finished_delete.sql: Is no longer in that state.
-- hot
DELETE FROM errand_finished WHERE state = ?1 AND id = ?2;
