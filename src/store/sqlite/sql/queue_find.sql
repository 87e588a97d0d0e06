-- queue_find.sql: A queue by name.
-- hot
SELECT id FROM errand_queues WHERE name = ?1;
