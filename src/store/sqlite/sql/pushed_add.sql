-- pushed_add.sql: READY jobs that came by a push, counted on the page that has their places (0003-pushed.sql).
-- hot
UPDATE errand_ready SET id = id + ?2 WHERE queue = ?1 AND priority = 2147483648;
