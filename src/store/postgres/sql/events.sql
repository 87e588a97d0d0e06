-- events.sql: the ring of events.

-- Numbers what was told, and keeps the last 10,000. One reader at a time.
CREATE OR REPLACE FUNCTION @.events_number() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_last bigint;
    v_n bigint;
BEGIN
    IF NOT EXISTS(SELECT 1 FROM @.told) THEN
        RETURN;
    END IF;
    SELECT last_seq INTO v_last FROM @.ring FOR UPDATE;
    WITH gone AS (
        DELETE FROM @.told RETURNING *
    ), numbered AS (
        SELECT *, row_number() OVER (ORDER BY n) AS i, count(*) OVER () AS total FROM gone
    ), kept AS (
        INSERT INTO @.events(seq, at_ms, type, id, name, queue, attempt, duration_ms, delay_ms, error)
        SELECT v_last + i, at_ms, type, id, name, queue, attempt, duration_ms, delay_ms, error
          FROM numbered WHERE i > total - 10000
    )
    SELECT coalesce(max(i), 0) INTO v_n FROM numbered;
    UPDATE @.ring SET last_seq = v_last + v_n;
    DELETE FROM @.events WHERE seq <= v_last + v_n - 10000;
END $$;

CREATE OR REPLACE FUNCTION @.events_add(p_now bigint, p_at bigint[], p_type text[], p_id text[], p_name text[], p_queue text[],
                               p_attempt bigint[], p_duration bigint[], p_delay bigint[], p_error bytea[])
RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
BEGIN
    -- No promise to anybody: not worth waiting for the disk.
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO @.told(at_ms, type, id, name, queue, attempt, duration_ms, delay_ms, error)
    SELECT coalesce(nullif(at_ms, 0), @.now_ms(p_now)), type, id, name, queue, attempt, duration_ms, delay_ms, error
      FROM unnest(p_at, p_type, p_id, p_name, p_queue, p_attempt, p_duration, p_delay, p_error)
           WITH ORDINALITY AS e(at_ms, type, id, name, queue, attempt, duration_ms, delay_ms, error, i)
     ORDER BY i;
    PERFORM @.wake(8, true);
END $$;

-- The first row is about the ring: seq is what to pass as p_after when no event follows, attempt is 1 when the reader
-- fell behind. A connection that only reads (p_may_write false) sees what others have numbered.
CREATE OR REPLACE FUNCTION @.events_read(p_now bigint, p_after bigint, p_max bigint, p_follow bigint, p_may_write boolean)
RETURNS TABLE(seq bigint, at_ms bigint, type text, id text, name text, queue text, attempt int, duration_ms bigint,
              delay_ms bigint, error bytea) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    until constant bigint := @.now_ms(p_now) + p_follow;
    last bigint;
    since bigint := p_after + 1;
    fell boolean;
BEGIN
    IF p_may_write THEN
        PERFORM set_config('synchronous_commit', 'off', true);
        PERFORM @.events_number();
        UPDATE @.root SET follow_until = until
         WHERE p_follow > 0 AND follow_until < until - p_follow / 2;
    END IF;
    SELECT last_seq INTO last FROM @.ring;
    fell := p_after >= 0 AND (since < last - 9999 OR p_after > last);
    IF p_after < 0 OR p_after > last THEN
        since := last + 1;
    END IF;
    RETURN QUERY SELECT last, 0::bigint, ''::text, ''::text, ''::text, ''::text, fell::int, 0::bigint, 0::bigint, ''::bytea;
    RETURN QUERY SELECT e.seq, e.at_ms, e.type, e.id, e.name, e.queue, e.attempt, e.duration_ms, e.delay_ms, e.error
                   FROM @.events AS e WHERE e.seq >= since AND e.seq <= last ORDER BY e.seq LIMIT p_max;
END $$;
