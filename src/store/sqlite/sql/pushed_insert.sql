-- pushed_insert.sql: The first push to a queue.
INSERT INTO errand_ready(queue, priority, run_at, id) VALUES(?1, 2147483648, 0, ?2);
