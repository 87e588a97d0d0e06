-- queue_count.sql: Counters of one queue: once a queue and transaction, last, so that the page is written once.
-- hot
UPDATE errand_queues
   SET held = held + ?2, scheduled = scheduled + ?3, ready = ready + ?4, running = running + ?5,
       completed = completed + ?6, failed = failed + ?7, cancelled = cancelled + ?8, parked = parked + ?9
 WHERE id = ?1;
