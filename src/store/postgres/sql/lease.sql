-- lease.sql: leases that go on, and leases that are over.

-- Rows of what 0: a lease, in the order given; 1: a progress; 2: a job to be stopped; 3, the last: the end in wall time.
CREATE OR REPLACE FUNCTION @.extend(p_now bigint, p_tokens bigint[], p_lease_ms bigint, p_token bigint[], p_key bigint[], p_id text[],
                                     p_percent bigint[], p_note bytea[])
RETURNS TABLE(what int, token bigint, key bigint, created_at bigint, uid text, settled int) LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    v_until bigint := @.lease_now(p_now) + p_lease_ms;
    v_key bigint;
    v_good bigint[];
BEGIN
    -- In order, as whoever settles several.
    PERFORM 1 FROM @.leases AS l WHERE l.token = ANY (p_tokens) ORDER BY l.token FOR UPDATE;
    WITH done AS (UPDATE @.leases AS l SET until_ms = greatest(l.until_ms, v_until) WHERE l.token = ANY (p_tokens) RETURNING l.token)
    SELECT array_agg(d.token) INTO v_good FROM done AS d;
    RETURN QUERY SELECT 0, t.token, 0::bigint, 0::bigint, NULL::text, CASE WHEN t.token = ANY (v_good) THEN 0 ELSE 1 END
                   FROM unnest(p_tokens) WITH ORDINALITY AS t(token, i) ORDER BY t.i;
    FOR i IN 1 .. coalesce(cardinality(p_token), 0) LOOP
        v_key := CASE WHEN p_id[i] IS NOT NULL THEN @.id_find(p_id[i]) ELSE p_key[i] END;
        IF EXISTS(SELECT 1 FROM @.leases AS l WHERE l.token = p_token[i] AND v_key = ANY (l.keys)) THEN
            INSERT INTO @.progress AS g(key, token, percent, note) VALUES(v_key, p_token[i], p_percent[i], p_note[i])
                ON CONFLICT ON CONSTRAINT progress_pkey DO UPDATE
                    SET token = excluded.token, percent = excluded.percent, note = excluded.note;
            RETURN QUERY SELECT 1, p_token[i], v_key, 0::bigint, NULL::text, 0;
        ELSE
            RETURN QUERY SELECT 1, p_token[i], v_key, 0::bigint, NULL::text, 1;
        END IF;
    END LOOP;
    RETURN QUERY SELECT 2, l.token, j.key, j.created_at, j.uid, 0
                   FROM unnest(p_tokens) WITH ORDINALITY AS t(token, i) JOIN @.leases AS l ON l.token = t.token,
                        LATERAL unnest(l.keys) WITH ORDINALITY AS k(key, n) JOIN @.jobs AS j ON j.key = k.key
                  WHERE j.flags & 64 <> 0 ORDER BY t.i, k.n;
    RETURN QUERY SELECT 3, CASE WHEN p_now = 0 THEN @.clock_ms() ELSE p_now END + p_lease_ms, 0::bigint, 0::bigint, NULL::text, 0;
END
$$;

-- One job whose lease is over. outcome: what became of it, as its state.
CREATE OR REPLACE FUNCTION @.reap_job(p_key bigint, l @.leases, p_all_hooks boolean, p_tell boolean, p_now bigint, OUT outcome int,
                                       INOUT moves @.move[]) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    j @.jobs := @.job_lock(p_key);
    f @.follows := @.nothing_to_follow();
    o @.outcome;
    r record;
    v_error bytea := 'the lease ran out: its worker died or was cut off';
BEGIN
    PERFORM @.lease_leave(l.token, ARRAY[p_key]);
    outcome := CASE WHEN j.flags & 64 <> 0 THEN 6 WHEN j.attempt + 1 >= j.tries THEN 5 ELSE 2 END;
    o := (l.token, p_key, 0, 0, l.started_at, p_now, 7, 0, 0, 0, 0, 0, v_error, NULL, NULL, NULL)::@.outcome;
    j.error := v_error;
    j.worker := l.worker;
    j := @.attempt_add(j, o, CASE outcome WHEN 6 THEN 5 WHEN 5 THEN 2 ELSE 1 END, l.worker);
    IF p_tell AND outcome <> 2 THEN
        j.attempt := j.attempt + 1;
        PERFORM @.tell_job(j, 'job:stalled', v_error, p_now);
        j.attempt := j.attempt - 1;
    END IF;
    SELECT * INTO r FROM @.job_move(j, 3, outcome, 0, p_now, f);
    f := r.f;
    j := r.j;
    IF outcome = 5 AND (p_all_hooks OR j.flags & 32 <> 0) THEN
        j := @.hook_due(j);
    END IF;
    moves := moves || @.move_made(j, 3, p_tell, p_now);
    SELECT * INTO r FROM @.follow(p_tell, p_now, f, moves);
    moves := r.moves;
END
$$;

-- The first row: what 0, and how many became READY (from_state), FAILED (to_state) and CANCELLED (attempt), and hooks that are due
-- again (key). Then the moves.
CREATE OR REPLACE FUNCTION @.reap(p_now bigint, p_max bigint, p_all_hooks boolean)
RETURNS TABLE(what int, key bigint, created_at bigint, uid text, name text, queue text, from_state int, to_state int, attempt int,
              more boolean) LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    v_now bigint := CASE WHEN p_now = 0 THEN @.clock_ms() ELSE p_now END;
    v_lease_now bigint := @.lease_now(p_now);
    v_tell boolean;
    v_moves @.move[] := '{}';
    v_n int[] := '{0,0,0,0}';
    v_left bigint := p_max;
    v_key bigint;
    l @.leases;
    j @.jobs;
    r record;
BEGIN
    IF NOT EXISTS(SELECT 1 FROM @.leases AS x WHERE x.until_ms <= v_lease_now) THEN
        RETURN QUERY SELECT 0, 0::bigint, 0::bigint, NULL::text, NULL::text, NULL::text, 0, 0, 0, false;
        RETURN;
    END IF;
    PERFORM @.rules_lock();
    SELECT t.follow_until > v_now INTO v_tell FROM @.root AS t;
    -- One that is being settled or extended just now is not over.
    FOR l IN SELECT * FROM @.leases AS x WHERE x.until_ms <= v_lease_now ORDER BY x.token FOR UPDATE SKIP LOCKED LOOP
        EXIT WHEN v_left <= 0;
        FOREACH v_key IN ARRAY l.hooks LOOP
            EXIT WHEN v_left <= 0;
            j := @.job_lock(v_key);
            PERFORM @.lease_leave(l.token, ARRAY[v_key]);
            PERFORM @.hook_due(j);
            v_n[4] := v_n[4] + 1;
            v_left := v_left - 1;
        END LOOP;
        FOREACH v_key IN ARRAY l.keys LOOP
            EXIT WHEN v_left <= 0;
            -- One that is being completed inside a transaction is not over before that is.
            PERFORM 1 FROM @.jobs AS x WHERE x.key = v_key FOR UPDATE SKIP LOCKED;
            CONTINUE WHEN NOT FOUND;
            IF EXISTS(SELECT 1 FROM @.completions AS c WHERE c.key = v_key AND c.token = l.token) THEN
                SELECT * INTO r FROM @.settle_one((l.token, v_key, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, NULL, NULL, NULL, NULL)::@.outcome,
                                                  true, v_tell, v_now, v_moves);
                v_moves := r.moves;
                v_left := v_left - 1;
                CONTINUE;
            END IF;
            SELECT * INTO r FROM @.reap_job(v_key, l, p_all_hooks, v_tell, v_now, v_moves);
            v_moves := r.moves;
            v_n[CASE r.outcome WHEN 2 THEN 1 WHEN 5 THEN 2 ELSE 3 END] := v_n[CASE r.outcome WHEN 2 THEN 1 WHEN 5 THEN 2 ELSE 3 END] + 1;
            v_left := v_left - 1;
        END LOOP;
    END LOOP;
    PERFORM @.wake(3 | v_tell::int * 8, true);
    RETURN QUERY SELECT 0, v_n[4]::bigint, 0::bigint, NULL::text, NULL::text, NULL::text, v_n[1], v_n[2], v_n[3],
                        EXISTS(SELECT 1 FROM @.leases AS x WHERE x.until_ms <= v_lease_now);
    RETURN QUERY SELECT 1, m.key, m.created_at, m.uid, m.name, m.queue, m.from_state, m.to_state, m.attempt, false
                   FROM unnest(v_moves) WITH ORDINALITY AS m(key, created_at, uid, name, queue, from_state, to_state, attempt, i)
                  ORDER BY m.i;
END
$$;
