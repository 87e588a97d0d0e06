-- queue_pause.sql: Pauses a queue until a time, or resumes it (0).
UPDATE errand_queues SET paused_until = ?2 WHERE id = ?1;
