-- limits.sql: setting and reading limits, and taking from a rate directly. How they hold jobs is in buckets.sql.

-- Who waits at it is looked at again under the new numbers, and what runs counts in it as it is now.
CREATE OR REPLACE FUNCTION @.limit_changed(p_name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM @.lines_empty(p_name);
    DELETE FROM @.holds WHERE bucket IN (SELECT id FROM @.buckets WHERE name = p_name);
    UPDATE @.buckets SET running = 0 WHERE name = p_name;
    PERFORM @.limit_hold(p_name);
    PERFORM @.wake(1, true);
END $$;

CREATE OR REPLACE FUNCTION @.limit_put(p_name text, p_kind bigint, p_scope bigint, p_target text, p_n bigint, p_per bigint)
RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
BEGIN
    PERFORM @.rules_lock();
    INSERT INTO @.limits(name, kind, scope, target, n, per_ms) VALUES(p_name, p_kind, p_scope, p_target, p_n, p_per)
        ON CONFLICT(name) DO UPDATE SET kind = excluded.kind, scope = excluded.scope, target = excluded.target,
                                        n = excluded.n, per_ms = excluded.per_ms;
    PERFORM @.limit_changed(p_name);
END $$;

CREATE OR REPLACE FUNCTION @.limit_delete(p_name text) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
BEGIN
    PERFORM @.rules_lock();
    DELETE FROM @.limits WHERE name = p_name;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM @.limit_changed(p_name);
    RETURN true;
END $$;

-- used: of the fullest key. waiting: behind a queue that is at its limit all its READY jobs, else those that are parked at it.
CREATE OR REPLACE FUNCTION @.limits_look(p_now bigint)
RETURNS TABLE(name text, kind smallint, scope smallint, target text, n bigint, per_ms bigint, used bigint, waiting bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
    WITH used AS MATERIALIZED (
        SELECT l.name,
               max(CASE WHEN l.kind = 1 THEN b.running ELSE @.starts_in(b.id, l.per_ms, @.now_ms(p_now)) END) AS n,
               max(@.room_of(b.id, l.kind, l.n, l.per_ms, @.now_ms(p_now))) FILTER (WHERE b.key = '') AS room
          FROM @.limits AS l JOIN @.buckets AS b ON b.name = l.name GROUP BY l.name
    )
    SELECT l.name, l.kind, l.scope, l.target, l.n, l.per_ms, coalesce(u.n, 0),
           CASE WHEN l.scope = 0 AND u.room <= 0
                THEN (SELECT coalesce(sum(c.ready), 0) FROM @.counts AS c WHERE c.queue = l.target)
                ELSE (SELECT count(*) FROM @.parked AS p JOIN @.lines AS w ON w.id = p.line JOIN @.buckets AS b ON b.id = w.bucket
                       WHERE b.name = l.name) END::bigint
      FROM @.limits AS l LEFT JOIN used AS u ON u.name = l.name
     ORDER BY l.name
$$;

-- NULL: allowed, and taken; else when it may be.
CREATE OR REPLACE FUNCTION @.rate_take(p_now bigint, p_name text, p_key bytea, p_n bigint, p_per bigint, p_take bigint)
RETURNS bigint LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    v_now constant bigint := @.now_ms(p_now);
    v_bucket bigint;
BEGIN
    PERFORM @.rules_lock();
    v_bucket := @.bucket_make(p_name, p_key);
    IF @.starts_in(v_bucket, p_per, v_now) + p_take > p_n THEN
        RETURN @.free_at(v_bucket, p_n - p_take + 1, p_per);
    END IF;
    PERFORM @.bucket_start(v_bucket, p_per, v_now, p_take);
    PERFORM @.lines_started(ARRAY[v_bucket], v_now);
    RETURN NULL;
END $$;
