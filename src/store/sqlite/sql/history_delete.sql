-- history_delete.sql: One completed job is gone.
DELETE FROM errand_history WHERE id = ?1;
