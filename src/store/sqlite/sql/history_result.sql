-- history_result.sql: What a completed job left.
-- hot
SELECT result FROM errand_history WHERE id = ?1;
