-- queue_insert.sql: A queue is made by the first who names it and never deleted: connections remember its number.
INSERT INTO errand_queues(name) VALUES(?1);
