-- worker_beat.sql: A heartbeat; the first says since when.
INSERT INTO errand_workers(worker, info, since_ms, seen_ms, until_ms) VALUES(?1, ?2, ?3, ?3, ?4)
    ON CONFLICT(worker) DO UPDATE SET info = excluded.info, seen_ms = excluded.seen_ms, until_ms = excluded.until_ms;
