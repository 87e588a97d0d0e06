-- command_insert.sql: For one living worker, or for all (NULL).
INSERT INTO errand_commands(worker, command)
    SELECT worker, ?1 FROM errand_workers WHERE until_ms > ?2 AND (?3 IS NULL OR worker = ?3);
