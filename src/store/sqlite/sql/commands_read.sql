-- commands_read.sql: What a worker is told, oldest first.
-- plan: INDEX errand_commands_worker (worker=?)
SELECT command FROM errand_commands WHERE worker = ?1 ORDER BY id;
