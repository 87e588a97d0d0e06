-- workers.sql: heartbeats up, commands down.

-- commands: a digit each, oldest first.
CREATE OR REPLACE FUNCTION @.beat(p_now bigint, p_worker text, p_info bytea, p_ttl bigint, p_bye boolean,
                         OUT commands text, OUT control bigint, OUT salt bigint) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    now constant bigint := @.now_ms(p_now);
    is_told constant boolean := @.is_followed(now);
    known boolean;
    told smallint[];
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    DELETE FROM @.workers WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM @.workers WHERE until_ms <= now - 3600000 FOR UPDATE SKIP LOCKED));
    IF p_bye THEN
        DELETE FROM @.workers WHERE worker = p_worker;
        known := NOT FOUND;
    ELSE
        SELECT w.commands INTO told FROM @.workers AS w WHERE w.worker = p_worker FOR UPDATE;
        known := FOUND;
        INSERT INTO @.workers AS w(worker, info, since_ms, seen_ms, until_ms)
        VALUES(p_worker, p_info, now, now, now + p_ttl)
            ON CONFLICT(worker) DO UPDATE
           SET info = excluded.info, seen_ms = excluded.seen_ms, until_ms = excluded.until_ms, commands = '{}';
    END IF;
    IF is_told AND NOT known THEN
        PERFORM @.tell(now, CASE WHEN p_bye THEN 'worker:stopped' ELSE 'worker:started' END, '', p_worker, '', 0, -1, -1, '');
        PERFORM @.wake(8, true);
    END IF;
    commands := array_to_string(told, '');
    SELECT r.control, r.salt INTO control, salt FROM @.root AS r;
END $$;

-- A worker that does not fetch its commands gets the last 16.
CREATE OR REPLACE FUNCTION @.command(p_now bigint, p_worker text, p_command bigint) RETURNS bigint LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    now constant bigint := @.now_ms(p_now);
    n bigint;
BEGIN
    UPDATE @.workers SET commands = (commands || p_command::smallint)[greatest(1, cardinality(commands) - 14):]
     WHERE worker = ANY(ARRAY(SELECT worker FROM @.workers
                               WHERE until_ms > now AND (p_worker IS NULL OR worker = p_worker) ORDER BY worker FOR UPDATE));
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n > 0 THEN
        UPDATE @.root SET control = control + 1;
        PERFORM @.wake(4, true);
    END IF;
    RETURN n;
END $$;

CREATE OR REPLACE FUNCTION @.workers_look(p_now bigint)
RETURNS TABLE(worker text, info bytea, since_ms bigint, seen_ms bigint, until_ms bigint, is_alive boolean, running_n bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
    SELECT w.worker, w.info, w.since_ms, w.seen_ms, w.until_ms, w.until_ms > n.now,
           coalesce((SELECT sum(cardinality(l.keys) + cardinality(l.hooks)) FROM @.leases AS l WHERE l.worker = w.worker), 0)::bigint
      FROM @.workers AS w, (SELECT @.now_ms(p_now) AS now) AS n
     WHERE w.until_ms > n.now - 3600000
     ORDER BY w.worker
$$;
