-- commands_delete.sql: Handed out.
DELETE FROM errand_commands WHERE worker = ?1;
