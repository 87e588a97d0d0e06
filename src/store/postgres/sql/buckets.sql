-- buckets.sql: what is used of a limit, and who waits at it.
--
-- A bucket is one name and key of a limit: how many RUNNING jobs count in it, and when jobs under it were started. A READY
-- job that finds one of its buckets full is parked in the line of that bucket; when the bucket has room again, by an end or by
-- time, the first of the line, as many as there is room and from every queue, go back to ready, at their old place, and are
-- looked at again. State, order and counts of READY are those of a job that never left. All of it under the rules lock.

-- Whether any job can be under a limit, or was.
CREATE OR REPLACE FUNCTION @.has_limits() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN EXISTS(SELECT 1 FROM @.limits) OR EXISTS(SELECT 1 FROM @.buckets);
END
$$;

-- A name without case and separators; one of separators only keeps itself.
CREATE OR REPLACE FUNCTION @.name_key(p_name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(nullif(translate(lower(p_name), '-_.:/', ''), ''), p_name)
$$;

-- The limits that apply to a job: its own, with the numbers that are set under their names, then those set for its queue and
-- name. One that it brings along under the key '' counts once.
CREATE OR REPLACE FUNCTION @.applied_to(p_queue text, p_name text, p_asks jsonb) RETURNS SETOF @.applied LANGUAGE sql STABLE AS $$
    SELECT u.use->>3, decode(u.use->>4, 'hex'), coalesce(l.kind, (u.use->>0)::int), coalesce(l.n, (u.use->>1)::bigint),
           coalesce(l.per_ms, (u.use->>2)::bigint)
      FROM jsonb_array_elements(p_asks->'l') AS u(use) LEFT JOIN @.limits AS l ON l.name = u.use->>3
    UNION ALL
    SELECT l.name, '', l.kind, l.n, l.per_ms
      FROM @.limits AS l
     WHERE (l.scope = 0 AND l.target = p_queue OR l.scope = 1 AND @.name_key(l.target) = @.name_key(p_name))
       AND NOT EXISTS(SELECT 1 FROM jsonb_array_elements(p_asks->'l') AS u(use) WHERE u.use->>3 = l.name AND u.use->>4 = '')
$$;

CREATE OR REPLACE FUNCTION @.bucket_make(p_name text, p_key bytea) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_id bigint;
BEGIN
    SELECT id INTO v_id FROM @.buckets WHERE name = p_name AND key = p_key;
    IF v_id IS NULL THEN
        INSERT INTO @.buckets(name, key) VALUES(p_name, p_key) RETURNING id INTO v_id;
    END IF;
    RETURN v_id;
END
$$;

-- Starts in the window that ends now; those the clock puts later count as well.
CREATE OR REPLACE FUNCTION @.starts_in(p_bucket bigint, p_per bigint, p_now bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN coalesce((SELECT sum(n) FROM @.starts WHERE bucket = p_bucket AND at_ms > p_now - p_per), 0);
END
$$;

-- When the p_n-th last start leaves the window; NULL: there are not so many.
CREATE OR REPLACE FUNCTION @.free_at(p_bucket bigint, p_n bigint, p_per bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (SELECT at_ms + p_per
              FROM (SELECT at_ms, sum(n) OVER (ORDER BY at_ms DESC) AS so_far FROM @.starts WHERE bucket = p_bucket) AS s
             WHERE so_far >= p_n ORDER BY at_ms DESC LIMIT 1);
END
$$;

CREATE OR REPLACE FUNCTION @.room_of(p_bucket bigint, p_kind int, p_n bigint, p_per bigint, p_now bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN p_n - CASE WHEN p_kind = 1 THEN coalesce((SELECT running FROM @.buckets WHERE id = p_bucket), 0)
                      ELSE @.starts_in(p_bucket, p_per, p_now) END;
END
$$;

-- Notes p_n starts, and forgets those that matter to nobody any more.
CREATE OR REPLACE FUNCTION @.bucket_start(p_bucket bigint, p_per bigint, p_now bigint, p_n bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_longest bigint;
BEGIN
    UPDATE @.buckets SET longest_ms = p_per WHERE id = p_bucket AND longest_ms < p_per;
    SELECT longest_ms INTO v_longest FROM @.buckets WHERE id = p_bucket;
    DELETE FROM @.starts WHERE bucket = p_bucket AND at_ms <= p_now - v_longest;
    INSERT INTO @.starts AS s(bucket, at_ms, n) VALUES(p_bucket, p_now, p_n)
        ON CONFLICT(bucket, at_ms) DO UPDATE SET n = s.n + excluded.n;
END
$$;

-- ---------------------------------------------------------------- lines

-- When time lets somebody go on. A full rate line: when there is room for one. One with room has offered as many as there is
-- room for: when the oldest start in the window leaves it, there is room for one more. With no start at all it looks again
-- after a window in any case.
CREATE OR REPLACE FUNCTION @.wake_of(w @.lines, p_now bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_started bigint;
BEGIN
    IF w.kind <> 0 THEN
        RETURN NULL;
    END IF;
    v_started := @.starts_in(w.bucket, w.per_ms, p_now);
    IF v_started = 0 THEN
        RETURN p_now + w.per_ms;
    END IF;
    RETURN @.free_at(w.bucket, least(v_started, w.n), w.per_ms);
END
$$;

-- From every queue as many as there is room: nobody knows whose worker comes first, and who finds the limit full again is
-- parked again. p_room NULL: all of them.
CREATE OR REPLACE FUNCTION @.line_offer(w @.lines, p_room bigint, p_now bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_queue text := '';
    v_n bigint;
    v_first bigint;
    v_offered bigint := 0;
BEGIN
    WHILE p_room IS NULL OR p_room > 0 LOOP
        SELECT queue INTO v_queue FROM @.parked WHERE line = w.id AND queue > v_queue ORDER BY line, queue LIMIT 1;
        EXIT WHEN NOT FOUND;
        WITH gone AS (
            DELETE FROM @.parked
             WHERE ctid = ANY (ARRAY(SELECT ctid FROM @.parked WHERE line = w.id AND queue = v_queue
                                      ORDER BY line, queue, priority, run_at, key LIMIT p_room))
            RETURNING queue, priority, run_at, key, flags),
             entered AS (
            INSERT INTO @.ready(queue, priority, run_at, key, flags) SELECT queue, priority, run_at, key, flags FROM gone)
        SELECT count(*), min(run_at) INTO v_n, v_first FROM gone;
        PERFORM @.marks_lower_all(ARRAY[v_queue], v_first);
        v_offered := v_offered + v_n;
    END LOOP;
    IF NOT EXISTS(SELECT 1 FROM @.parked WHERE line = w.id) THEN
        DELETE FROM @.lines WHERE id = w.id;
    ELSE
        UPDATE @.lines SET wake_at = @.wake_of(w, p_now) WHERE id = w.id;
    END IF;
    RETURN v_offered;
END
$$;

-- The bucket may have room: the first of its lines are for reserve again.
CREATE OR REPLACE FUNCTION @.lines_offer(p_bucket bigint, p_now bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    w @.lines;
    v_offered bigint := 0;
BEGIN
    FOR w IN SELECT * FROM @.lines WHERE bucket = p_bucket LOOP
        v_offered := v_offered + @.line_offer(w, greatest(@.room_of(w.bucket, w.kind, w.n, w.per_ms, p_now), 0), p_now);
    END LOOP;
    RETURN v_offered;
END
$$;

-- A READY job leaves, which may have been let out of a line because there was room: the next of that one.
CREATE OR REPLACE FUNCTION @.limits_offer(j @.jobs, p_now bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF EXISTS(SELECT 1 FROM @.lines) THEN
        PERFORM @.lines_offer(b.id, p_now)
           FROM @.applied_to(j.queue, j.name, j.asks) AS a JOIN @.buckets AS b ON b.name = a.name AND b.key = a.key;
    END IF;
END
$$;

-- Starts were noted: lines that are full now know when they may go on. One whose time has come offers before it is told a
-- later one.
CREATE OR REPLACE FUNCTION @.lines_started(p_buckets bigint[], p_now bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    w @.lines;
    v_offered bigint := 0;
BEGIN
    FOR w IN SELECT * FROM @.lines WHERE bucket = ANY (p_buckets) AND kind = 0 LOOP
        IF w.wake_at <= p_now THEN
            v_offered := v_offered + @.line_offer(w, greatest(@.room_of(w.bucket, w.kind, w.n, w.per_ms, p_now), 0), p_now);
        ELSE
            UPDATE @.lines SET wake_at = @.wake_of(w, p_now) WHERE id = w.id;
        END IF;
    END LOOP;
    RETURN v_offered;
END
$$;

-- Everybody at a limit: its numbers have changed.
CREATE OR REPLACE FUNCTION @.lines_empty(p_limit text) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    w @.lines;
BEGIN
    FOR w IN SELECT l.* FROM @.lines AS l JOIN @.buckets AS b ON b.id = l.bucket WHERE b.name = p_limit LOOP
        PERFORM @.line_offer(w, NULL, 0);
    END LOOP;
END
$$;

-- Lines whose time has come.
CREATE OR REPLACE FUNCTION @.lines_due(p_now bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    w @.lines;
BEGIN
    FOR w IN SELECT * FROM @.lines WHERE wake_at <= p_now LOOP
        PERFORM @.line_offer(w, greatest(@.room_of(w.bucket, w.kind, w.n, w.per_ms, p_now), 0), p_now);
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION @.parked_leave(p_key bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_line bigint;
BEGIN
    DELETE FROM @.parked WHERE key = p_key RETURNING line INTO v_line;
    DELETE FROM @.lines WHERE id = v_line AND NOT EXISTS(SELECT 1 FROM @.parked WHERE line = v_line);
END
$$;

-- ---------------------------------------------------------------- jobs under limits

-- The attempts of these jobs have ended: they count no more.
CREATE OR REPLACE FUNCTION @.holds_release(p_keys bigint[], p_now bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_bucket bigint;
BEGIN
    FOR v_bucket IN
        WITH gone AS (DELETE FROM @.holds WHERE job = ANY (p_keys) RETURNING bucket),
             sums AS (SELECT bucket, count(*) AS n FROM gone GROUP BY bucket)
        UPDATE @.buckets AS b SET running = b.running - s.n FROM sums AS s WHERE b.id = s.bucket RETURNING b.id
    LOOP
        PERFORM @.lines_offer(v_bucket, p_now);
    END LOOP;
END
$$;

-- May the job, which has left ready, start now? Then that is noted. Else it is parked at a limit that is full; it may have
-- been let out of another line to come here, and then the next of that one is for reserve again.
CREATE OR REPLACE FUNCTION @.limits_start(p_key bigint, p_priority int, p_run_at bigint, p_flags int, p_now bigint,
                                           OUT may_start boolean, OUT offered bigint, INOUT buckets bigint[])
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_queue text;
    a @.applied;
    v_bucket bigint;
    v_line bigint;
    v_mine bigint[] := '{}';
    v_all @.applied[] := '{}';
BEGIN
    offered := 0;
    SELECT j.queue, array(SELECT x::@.applied FROM @.applied_to(j.queue, j.name, j.asks) AS x) INTO v_queue, v_all
      FROM @.jobs AS j WHERE j.key = p_key;
    FOREACH a IN ARRAY v_all LOOP
        v_bucket := @.bucket_make(a.name, a.key);
        IF @.room_of(v_bucket, a.kind, a.n, a.per_ms, p_now) <= 0 THEN
            SELECT id INTO v_line FROM @.lines WHERE bucket = v_bucket AND kind = a.kind AND n = a.n AND per_ms = a.per_ms;
            IF v_line IS NULL THEN
                INSERT INTO @.lines(bucket, kind, n, per_ms, wake_at)
                    VALUES(v_bucket, a.kind, a.n, a.per_ms, CASE WHEN a.kind = 0 THEN @.free_at(v_bucket, a.n, a.per_ms) END)
                    RETURNING id INTO v_line;
            END IF;
            INSERT INTO @.parked(line, queue, priority, run_at, key, flags)
                VALUES(v_line, v_queue, p_priority, p_run_at, p_key, p_flags);
            may_start := false;
            FOREACH a IN ARRAY v_all LOOP
                offered := offered + coalesce((SELECT @.lines_offer(b.id, p_now) FROM @.buckets AS b
                                                WHERE b.name = a.name AND b.key = a.key AND b.id <> v_bucket), 0);
            END LOOP;
            RETURN;
        END IF;
        v_mine := v_mine || v_bucket;
    END LOOP;
    FOR i IN 1 .. cardinality(v_mine) LOOP
        INSERT INTO @.holds(job, bucket) VALUES(p_key, v_mine[i]) ON CONFLICT DO NOTHING;
        IF FOUND THEN
            UPDATE @.buckets SET running = running + 1 WHERE id = v_mine[i];
        END IF;
        IF v_all[i].kind = 0 THEN
            PERFORM @.bucket_start(v_mine[i], v_all[i].per_ms, p_now, 1);
            IF NOT v_mine[i] = ANY (buckets) THEN
                buckets := buckets || v_mine[i];
            END IF;
        END IF;
    END LOOP;
    may_start := true;
END
$$;

-- A limit was set: jobs that run already count in it.
CREATE OR REPLACE FUNCTION @.limit_hold(p_name text) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    r record;
    v_bucket bigint;
BEGIN
    FOR r IN SELECT j.key, a.name, a.key AS k
               FROM (SELECT unnest(keys) AS key FROM @.leases) AS l JOIN @.jobs AS j ON j.key = l.key,
                    LATERAL @.applied_to(j.queue, j.name, j.asks) AS a
              WHERE a.name = p_name LOOP
        v_bucket := @.bucket_make(r.name, r.k);
        INSERT INTO @.holds(job, bucket) VALUES(r.key, v_bucket) ON CONFLICT DO NOTHING;
        IF FOUND THEN
            UPDATE @.buckets SET running = running + 1 WHERE id = v_bucket;
        END IF;
    END LOOP;
END
$$;
