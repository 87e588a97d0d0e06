-- history_id.sql: What the id of a completed job is made of.
-- hot
SELECT created_at, flags FROM errand_history WHERE id = ?1;
