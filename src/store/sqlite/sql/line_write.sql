-- line_write.sql: How many wait there, and until when.
-- hot
UPDATE errand_lines SET parked = ?2, wake_at = ?3 WHERE id = ?1;
