-- commands_orphans.sql: Commands for workers that are gone.
DELETE FROM errand_commands WHERE worker NOT IN (SELECT worker FROM errand_workers);
