-- commands_trim.sql: A worker that does not fetch its commands keeps the last ones.
DELETE FROM errand_commands
 WHERE id IN (SELECT id
                FROM (SELECT id, row_number() OVER (PARTITION BY worker ORDER BY id DESC) AS n FROM errand_commands)
               WHERE n > ?1);
