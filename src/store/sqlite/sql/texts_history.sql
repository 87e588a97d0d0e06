-- texts_history.sql: What a search looks into.
-- hot
SELECT payload, NULL FROM errand_history WHERE id = ?1;
