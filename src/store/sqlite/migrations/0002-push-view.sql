-- 0002-push-view.sql: jobs from plain SQL, in the transaction of whatever the application writes beside them:
--     INSERT INTO push(queue, name, payload, prio, delay) VALUES('mail', 'send-welcome', '{"userId":1}', 0, 60);
-- For programs without the library; the library never goes through it (five times dearer in bulk). delay is in
-- seconds; ukey is a unique key held until the job is done: a second job of it is ignored.
CREATE VIEW push(queue, name, payload, prio, delay, tries, ukey) AS
    SELECT q.name, n.name, j.payload, j.priority, 0, j.tries, NULL
      FROM errand_jobs AS j JOIN errand_queues AS q ON q.id = j.queue JOIN errand_names AS n ON n.id = j.name;

CREATE TRIGGER push_insert INSTEAD OF INSERT ON push
BEGIN
    SELECT CASE
        WHEN new.name IS NULL THEN raise(ABORT, 'push: name is null')
        WHEN length(new.name) NOT BETWEEN 1 AND 128 OR new.name GLOB '*[^A-Za-z0-9_.:/-]*'
            THEN raise(ABORT, 'push: name may have letters, digits and _ . : / - only, 1 to 128 of them')
        WHEN length(coalesce(new.queue, 'default')) NOT BETWEEN 1 AND 128 OR coalesce(new.queue, 'default') GLOB '*[^A-Za-z0-9_.:/-]*'
            THEN raise(ABORT, 'push: queue may have letters, digits and _ . : / - only, 1 to 128 of them')
        WHEN NOT json_valid(coalesce(new.payload, 'null')) THEN raise(ABORT, 'push: payload is not JSON')
        WHEN typeof(coalesce(new.prio, 0)) <> 'integer' OR coalesce(new.prio, 0) NOT BETWEEN -2147483648 AND 2147483647
            THEN raise(ABORT, 'push: prio is not an integer')
        WHEN typeof(coalesce(new.delay, 0)) NOT IN ('integer', 'real') THEN raise(ABORT, 'push: delay is not a number')
        WHEN typeof(coalesce(new.tries, 3)) <> 'integer' OR coalesce(new.tries, 3) NOT BETWEEN 1 AND 1000
            THEN raise(ABORT, 'push: tries is not 1 to 1000')
        WHEN length(CAST(new.ukey AS BLOB)) NOT BETWEEN 1 AND 512 THEN raise(ABORT, 'push: ukey has no or over 512 bytes')
        WHEN EXISTS(SELECT 1 FROM errand_unique_keys
                     WHERE key = CAST(new.ukey AS BLOB)
                       AND until_ms > CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER)) THEN raise(IGNORE)
    END;
    -- WHERE NOT EXISTS and not OR IGNORE: inside a trigger the outer statement's OR clause would win.
    INSERT INTO errand_queues(name)
        SELECT coalesce(new.queue, 'default')
         WHERE NOT EXISTS(SELECT 1 FROM errand_queues WHERE name = coalesce(new.queue, 'default'));
    INSERT INTO errand_names(name) SELECT new.name WHERE NOT EXISTS(SELECT 1 FROM errand_names WHERE name = new.name);
    UPDATE errand_queues
       SET next_id = next_id + 1,
           last_ms = max(last_ms, CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER),
                         coalesce((SELECT created_at FROM errand_jobs ORDER BY id DESC LIMIT 1), 0))
     WHERE id = 0;
    INSERT INTO errand_jobs(id, queue, name, state, priority, run_at, attempt, tries, flags, waits, created_at, payload)
        SELECT r.next_id - 1, q.id, (SELECT id FROM errand_names WHERE name = new.name),
               CASE WHEN coalesce(new.delay, 0) > 0 THEN 1 ELSE 2 END, coalesce(new.prio, 0),
               CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER) + CAST(max(coalesce(new.delay, 0), 0) * 1000 AS INTEGER),
               0, coalesce(new.tries, 3), CASE WHEN new.ukey IS NULL THEN 0 ELSE 1 END, 0, r.last_ms,
               CAST(coalesce(new.payload, 'null') AS BLOB)
          FROM errand_queues AS r, errand_queues AS q
         WHERE r.id = 0 AND q.name = coalesce(new.queue, 'default');
    INSERT INTO errand_ready(queue, priority, run_at, id)
        SELECT queue, priority, run_at, id FROM errand_jobs
         WHERE id = (SELECT next_id - 1 FROM errand_queues WHERE id = 0) AND state = 2;
    INSERT INTO errand_scheduled(queue, run_at, id, priority)
        SELECT queue, run_at, id, priority FROM errand_jobs
         WHERE id = (SELECT next_id - 1 FROM errand_queues WHERE id = 0) AND state = 1;
    INSERT INTO errand_unique_jobs(job, key, ttl_ms, until)
        SELECT next_id - 1, CAST(new.ukey AS BLOB), 0, 1 FROM errand_queues WHERE id = 0 AND new.ukey IS NOT NULL;
    DELETE FROM errand_unique_keys WHERE key = CAST(new.ukey AS BLOB);
    INSERT INTO errand_unique_keys(key, job, until_ms)
        SELECT CAST(new.ukey AS BLOB), next_id - 1, 9223372036854775807 FROM errand_queues WHERE id = 0 AND new.ukey IS NOT NULL;
    UPDATE errand_queues
       SET ready = ready + (coalesce(new.delay, 0) <= 0), scheduled = scheduled + (coalesce(new.delay, 0) > 0)
     WHERE name = coalesce(new.queue, 'default') AND id > 0;
END;

-- What a person wants to see of the living: RUNNING is what is in no line.
CREATE VIEW errand_jobs_now AS
    SELECT j.id,
           CASE WHEN j.state = 2 AND NOT EXISTS(SELECT 1 FROM errand_ready AS r
                                                 WHERE r.queue = j.queue AND r.priority = j.priority AND r.run_at = j.run_at
                                                   AND r.id = j.id)
                                 AND NOT EXISTS(SELECT 1 FROM errand_parked AS p WHERE p.id = j.id)
                THEN 'running'
                ELSE CASE j.state WHEN 0 THEN 'held' WHEN 1 THEN 'scheduled' WHEN 2 THEN 'ready' WHEN 5 THEN 'failed'
                                  WHEN 6 THEN 'cancelled' END
           END AS state,
           q.name AS queue, n.name AS name, j.attempt AS attempts, j.tries, j.priority,
           strftime('%Y-%m-%dT%H:%M:%fZ', j.run_at / 1000.0, 'unixepoch') AS run_at,
           CAST(j.payload AS TEXT) AS data, CAST(j.error AS TEXT) AS error
      FROM errand_jobs AS j JOIN errand_queues AS q ON q.id = j.queue JOIN errand_names AS n ON n.id = j.name;
