-- batches.sql: looking at batches. Their counts are changed by the calls that move the members.

CREATE OR REPLACE FUNCTION @.batch_get(p_id text) RETURNS SETOF @.batches LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
    SELECT * FROM @.batches WHERE uid = p_id
$$;

-- Newest first. One row with key NULL: there is no batch to go on behind.
CREATE OR REPLACE FUNCTION @.batches_look(p_after text, p_max bigint) RETURNS SETOF @.batches LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    after bigint := 9223372036854775807;
BEGIN
    IF p_after <> '' THEN
        SELECT key INTO after FROM @.batches WHERE uid = p_after;
        IF NOT FOUND THEN
            RETURN NEXT NULL;
            RETURN;
        END IF;
    END IF;
    RETURN QUERY SELECT * FROM @.batches WHERE key < after ORDER BY key DESC LIMIT p_max;
END $$;

-- What waits is cancelled at once; what runs is flagged, and its worker told. Answers how many at once; -1: no such batch.
CREATE OR REPLACE FUNCTION @.batch_cancel(p_now bigint, p_id text) RETURNS bigint LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    v_now constant bigint := @.now_ms(p_now);
    v_tell constant boolean := @.is_followed(v_now);
    b @.batches;
    r record;
    v_n bigint;
    v_flagged bigint;
BEGIN
    PERFORM @.rules_lock();
    SELECT * INTO b FROM @.batches WHERE uid = p_id;
    IF NOT FOUND OR b.ended_at <> 0 THEN
        RETURN CASE WHEN FOUND THEN 0 ELSE -1 END;
    END IF;
    SELECT * INTO r FROM @.members_cancel(b.key, v_tell, v_now, @.nothing_to_follow(), '{}');
    v_n := cardinality(r.moves);
    UPDATE @.jobs SET flags = flags | 64
     WHERE key IN (SELECT m.key FROM @.members AS m WHERE m.batch = b.key AND m.key = ANY(ARRAY(SELECT unnest(keys) FROM @.leases)))
       AND flags & 64 = 0;
    GET DIAGNOSTICS v_flagged = ROW_COUNT;
    PERFORM @.follow(v_tell, v_now, r.f, r.moves);
    IF v_flagged > 0 THEN
        UPDATE @.root SET control = control + v_flagged;
    END IF;
    PERFORM @.wake(3 | (v_flagged > 0)::int << 2 | v_tell::int << 3, true);
    RETURN v_n;
END $$;
