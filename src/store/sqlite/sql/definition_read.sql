-- definition_read.sql: One definition.
-- hot
SELECT key, name, spec, updated_ms FROM errand_definitions WHERE key = ?1;
