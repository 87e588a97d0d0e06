-- 0004-asks.sql: what a job asks of the store, its unique key and its limits, in its own row.
--
-- Each had a table, so that a unique job wrote two pages more than a plain one, and a job with a limit one more; a limit
-- was also a row to read and to delete. Now `asks` is NULL or text that asks.c reads: "u UNTIL TTL LEN:KEY" and
-- "l KIND N PER LEN:NAME LEN:KEY", one after the other. The index of claims by their end has only those that end by time.
DROP VIEW push;
ALTER TABLE errand_jobs ADD COLUMN asks BLOB;
ALTER TABLE errand_history ADD COLUMN asks BLOB;

UPDATE errand_jobs
   SET asks = CAST(
       coalesce((SELECT 'u ' || until || ' ' || ttl_ms || ' ' || length(key) || ':' || key
                   FROM errand_unique_jobs WHERE job = errand_jobs.id), '')
    || coalesce((SELECT group_concat(one, '')
                   FROM (SELECT 'l ' || kind || ' ' || n || ' ' || per_ms || ' ' || length(CAST(name AS BLOB)) || ':' || name
                                || ' ' || length(key) || ':' || key AS one
                           FROM errand_job_limits WHERE job = errand_jobs.id ORDER BY seq)), '') AS BLOB)
 WHERE id IN (SELECT job FROM errand_unique_jobs) OR id IN (SELECT job FROM errand_job_limits);
UPDATE errand_history
   SET asks = CAST((SELECT 'u ' || until || ' ' || ttl_ms || ' ' || length(key) || ':' || key
                      FROM errand_unique_jobs WHERE job = errand_history.id) AS BLOB)
 WHERE id IN (SELECT job FROM errand_unique_jobs);

DROP TABLE errand_unique_jobs;
DROP TABLE errand_job_limits;
DROP INDEX errand_unique_keys_until;
CREATE INDEX errand_unique_keys_until ON errand_unique_keys(until_ms) WHERE until_ms < 9223372036854775807;
UPDATE errand_queues
   SET extras = extras | 32
 WHERE id = 0 AND EXISTS(SELECT 1 FROM errand_unique_keys WHERE until_ms < 9223372036854775807);

-- As in 0002-push-view.sql, but for where the key goes.
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
    INSERT INTO errand_jobs(id, queue, name, state, priority, run_at, attempt, tries, flags, waits, created_at, payload, asks)
        SELECT r.next_id - 1, q.id, (SELECT id FROM errand_names WHERE name = new.name),
               CASE WHEN coalesce(new.delay, 0) > 0 THEN 1 ELSE 2 END, coalesce(new.prio, 0),
               CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER) + CAST(max(coalesce(new.delay, 0), 0) * 1000 AS INTEGER),
               0, coalesce(new.tries, 3), CASE WHEN new.ukey IS NULL THEN 0 ELSE 1 END, 0, r.last_ms,
               CAST(coalesce(new.payload, 'null') AS BLOB),
               CASE WHEN new.ukey IS NOT NULL
                    THEN CAST('u 1 0 ' || length(CAST(new.ukey AS BLOB)) || ':' || new.ukey AS BLOB) END
          FROM errand_queues AS r, errand_queues AS q
         WHERE r.id = 0 AND q.name = coalesce(new.queue, 'default');
    INSERT INTO errand_ready(queue, priority, run_at, id)
        SELECT queue, priority, run_at, id FROM errand_jobs
         WHERE id = (SELECT next_id - 1 FROM errand_queues WHERE id = 0) AND state = 2;
    INSERT INTO errand_scheduled(queue, run_at, id, priority)
        SELECT queue, run_at, id, priority FROM errand_jobs
         WHERE id = (SELECT next_id - 1 FROM errand_queues WHERE id = 0) AND state = 1;
    DELETE FROM errand_unique_keys WHERE key = CAST(new.ukey AS BLOB);
    INSERT INTO errand_unique_keys(key, job, until_ms)
        SELECT CAST(new.ukey AS BLOB), next_id - 1, 9223372036854775807 FROM errand_queues WHERE id = 0 AND new.ukey IS NOT NULL;
    UPDATE errand_queues
       SET ready = ready + (coalesce(new.delay, 0) <= 0), scheduled = scheduled + (coalesce(new.delay, 0) > 0)
     WHERE name = coalesce(new.queue, 'default') AND id > 0;
END;
