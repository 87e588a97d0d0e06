-- definitions_read.sql: All definitions, by key.
SELECT key, name, spec, updated_ms FROM errand_definitions ORDER BY key;
