-- tied.sql: storing jobs with ties as sets: what becomes of each by id and key, members, edges, then the rows. There is no plan
-- before: the transaction takes back what does not go through.
--
-- By id and key each job becomes what it would be if they came one after the other. states: 0 not decided yet, 1 inserted,
-- 2 another stands for it, 3 decided now. One waits for the next turn when its id is that of an earlier one of this turn, which
-- may yet lose by its key, and so does who wants the key of one that waits. Nearly always there is one turn.

CREATE OR REPLACE FUNCTION @.ties_turn(p_id text[], p_ukey bytea[], p_found bigint[], INOUT states int[]) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    states := array(
        SELECT CASE WHEN w.state <> 0 THEN w.state
                    WHEN w.waits OR (w.ukey IS NOT NULL AND bool_or(w.waits) OVER (PARTITION BY w.ukey ORDER BY w.i)) THEN 0 ELSE 3 END
          FROM (SELECT u.*, u.state = 0 AND u.id IS NOT NULL AND u.found IS NULL
                            AND row_number() OVER (PARTITION BY u.id, u.state ORDER BY u.i) > 1 AS waits
                  FROM unnest(p_id, p_ukey, p_found, states) WITH ORDINALITY AS u(id, ukey, found, state, i)) AS w
         ORDER BY w.i);
END
$$;

-- holders: the job that stands for another, NULL when it was pruned; gone: its id, where a key decided.
CREATE OR REPLACE FUNCTION @.ties_decide(p_id text[], p_asks jsonb[], p_keys bigint[], p_now bigint,
                                          OUT states int[], OUT holders bigint[], OUT gone text[]) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_ukey bytea[];
    v_found bigint[];
BEGIN
    v_ukey := array(SELECT @.key_of(u.asks) FROM unnest(p_asks, p_keys) WITH ORDINALITY AS u(asks, key, i) ORDER BY u.i);
    states := array(SELECT (u.id IS NULL AND u.ukey IS NULL)::int
                      FROM unnest(p_id, v_ukey, p_keys) WITH ORDINALITY AS u(id, ukey, key, i) ORDER BY u.i);
    WHILE 0 = ANY (states) LOOP
        v_found := array(SELECT CASE WHEN u.state = 0 AND u.id IS NOT NULL THEN nullif(@.id_find(u.id), u.key) END
                           FROM unnest(p_id, p_keys, states) WITH ORDINALITY AS u(id, key, state, i) ORDER BY u.i);
        states := @.ties_turn(p_id, v_ukey, v_found, states);
        IF p_id IS NOT NULL THEN
            -- Waits for one who is about to store it, too.
            INSERT INTO @.uids(uid, key)
                SELECT u.id, u.key FROM unnest(p_id, p_keys, v_found, states) AS u(id, key, found, state)
                 WHERE u.state = 3 AND u.id IS NOT NULL AND u.found IS NULL ORDER BY u.id
                ON CONFLICT DO NOTHING;
            v_found := array(SELECT coalesce(u.found, nullif(x.key, u.key))
                               FROM unnest(p_id, p_keys, v_found, states) WITH ORDINALITY AS u(id, key, found, state, i)
                                    LEFT JOIN @.uids AS x ON x.uid = u.id AND u.state = 3
                              ORDER BY u.i);
        END IF;
        INSERT INTO @.claims AS k(key, job, id, until_ms, ends)
            SELECT DISTINCT ON (u.ukey) u.ukey, u.key, @.id_text(p_now, u.key, u.id), @.until_of(p_now, (u.asks->'u'->>1)::bigint),
                   (u.asks->'u'->>0)::int
              FROM unnest(p_id, p_asks, v_ukey, p_keys, v_found, states) WITH ORDINALITY AS u(id, asks, ukey, key, found, state, i)
             WHERE u.state = 3 AND u.found IS NULL AND u.ukey IS NOT NULL ORDER BY u.ukey, u.i
            ON CONFLICT(key) DO UPDATE SET job = excluded.job, id = excluded.id, until_ms = excluded.until_ms, ends = excluded.ends
                WHERE k.until_ms <= p_now;
        -- A claim that is gone again since was given up by its job: once more.
        SELECT array_agg(CASE WHEN u.state <> 3 THEN u.state WHEN u.found IS NOT NULL THEN 2 WHEN u.ukey IS NULL OR c.job = u.key THEN 1
                              WHEN c.key IS NULL THEN 0 ELSE 2 END ORDER BY u.i),
               array_agg(CASE WHEN u.state <> 3 THEN u.holder ELSE coalesce(u.found, c.job) END ORDER BY u.i),
               array_agg(CASE WHEN u.state <> 3 THEN u.gone ELSE c.id END ORDER BY u.i)
          INTO states, holders, gone
          FROM unnest(v_ukey, p_keys, v_found, states, holders, gone) WITH ORDINALITY AS u(ukey, key, found, state, holder, gone, i)
               LEFT JOIN @.claims AS c ON c.key = u.ukey AND u.found IS NULL AND u.state = 3;
        IF p_id IS NOT NULL THEN
            DELETE FROM @.uids AS x USING unnest(p_id, p_keys, states) AS u(id, key, state)
             WHERE u.state = 2 AND x.uid = u.id AND x.key = u.key;
        END IF;
    END LOOP;
END
$$;

-- The batches of the jobs that are inserted, locked; that of any other must be there.
CREATE OR REPLACE FUNCTION @.ties_batches(p_batch text[], p_states int[]) RETURNS bigint[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    r record;
BEGIN
    PERFORM 1 FROM @.batches WHERE uid = ANY (p_batch) ORDER BY key FOR UPDATE;
    SELECT u.batch, b.key INTO r
      FROM unnest(p_batch, p_states) WITH ORDINALITY AS u(batch, state, i) LEFT JOIN @.batches AS b ON b.uid = u.batch
     WHERE u.batch IS NOT NULL AND (b.key IS NULL OR (u.state = 1 AND b.ended_at <> 0)) ORDER BY u.i LIMIT 1;
    IF FOUND AND r.key IS NULL THEN
        PERFORM @.not_found(format('there is no batch ''%s''', r.batch));
    ELSIF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'ER014', MESSAGE = format('batch ''%s'' has ended: no members can be added', r.batch);
    END IF;
    RETURN array(SELECT CASE WHEN u.state = 1 THEN b.key END
                   FROM unnest(p_batch, p_states) WITH ORDINALITY AS u(batch, state, i) LEFT JOIN @.batches AS b ON b.uid = u.batch
                  ORDER BY u.i);
END
$$;

-- Parents and states of edges; waits and flags are those of the jobs. A parent of this call has not ended; one that has counts at
-- once.
CREATE OR REPLACE FUNCTION @.ties_edges(
    p_edge_child bigint[], p_edge_parent bigint[], p_edge_id text[], p_edge_is_batch bigint[], p_edge_on bigint[], p_keys bigint[],
    p_states int[], p_holders bigint[], p_gone text[], OUT parents bigint[], OUT edge_states int[], INOUT waits int[], INOUT flags int[])
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    b @.batches;
    v_parent bigint;
    v_state int;
    c int;
    p int;
BEGIN
    FOR e IN 1 .. cardinality(p_edge_child) LOOP
        c := p_edge_child[e] + 1;
        p := p_edge_parent[e] + 1;
        v_state := NULL;
        IF p_edge_is_batch[e] <> 0 THEN
            IF b.uid IS DISTINCT FROM p_edge_id[e] THEN
                b := @.batch_find(p_edge_id[e]);
            END IF;
            v_parent := b.key;
            v_state := @.edge_by_batch(p_edge_on[e]::int, b);
        ELSIF p_edge_id[e] IS NULL THEN
            v_parent := CASE WHEN p_states[p] = 1 THEN p_keys[p] ELSE p_holders[p] END;
        ELSE
            v_parent := @.id_find(p_edge_id[e]);
        END IF;
        IF v_state IS NULL THEN
            -- Also by its id it may be one of this call, whose row is not there yet.
            IF p_keys[p] IS DISTINCT FROM v_parent THEN
                p := array_position(p_keys, v_parent);
            END IF;
            IF p_states[p] = 1 THEN
                v_state := 0;
                flags[p] := flags[p] | 8;
            ELSE
                v_state := @.edge_by_job(p_edge_on[e]::int, @.parent_lock(v_parent));
            END IF;
        END IF;
        IF v_parent IS NULL OR v_state IS NULL THEN
            PERFORM @.not_found(format('there is no %s ''%s'' to wait for', CASE WHEN p_edge_is_batch[e] <> 0 THEN 'batch' ELSE 'job' END,
                                       coalesce(p_edge_id[e], p_gone[p_edge_parent[e] + 1])));
        END IF;
        parents[e] := v_parent;
        edge_states[e] := v_state;
        flags[c] := flags[c] | 16;
        waits[c] := waits[c] + (v_state <> 1)::int;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION @.ties_insert(
    p_id text[], p_name text[], p_queue text[], p_data bytea[], p_options bytea[], p_priority bigint[], p_tries bigint[],
    p_run_at bigint[], p_flags bigint[], p_tags jsonb[], p_asks jsonb[], p_keys bigint[], p_states int[], p_batches bigint[], p_waits int[],
    p_more int[], p_tell boolean, p_now bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    WITH fresh AS (
            INSERT INTO @.jobs AS j(key, created_at, run_at, batch, priority, attempt, tries, flags, waits, state, queue, name, uid, options,
                                    data, tags, asks)
            SELECT u.key, p_now, greatest(u.run_at, p_now), u.batch, coalesce(u.priority, 0), 0, u.tries,
                   coalesce(u.flags, 0) | @.flags_of(u.asks) | u.more | CASE WHEN u.batch IS NOT NULL THEN 4 ELSE 0 END, u.waits,
                   CASE WHEN u.waits > 0 THEN 0 WHEN u.run_at > p_now THEN 1 ELSE 2 END, u.queue, u.name, u.id, u.options, u.data,
                   CASE WHEN u.tags IS NOT NULL THEN array(SELECT jsonb_array_elements_text(u.tags)) END, @.asks_kept(u.asks)
              FROM unnest(p_id, p_name, p_queue, p_data, p_options, p_priority, p_tries, p_run_at, p_flags, p_tags, p_asks, p_keys, p_states,
                          p_batches, p_waits, p_more)
                   AS u(id, name, queue, data, options, priority, tries, run_at, flags, tags, asks, key, state, batch, waits, more)
             WHERE u.state = 1
            RETURNING j.key, j.queue, j.priority, j.run_at, j.flags, j.state, j.name, j.uid, j.batch),
         r AS (INSERT INTO @.ready(queue, priority, run_at, key, flags)
               SELECT f.queue, f.priority, f.run_at, f.key, f.flags FROM fresh AS f WHERE f.state = 2),
         s AS (INSERT INTO @.scheduled(queue, run_at, key, priority)
               SELECT f.queue, f.run_at, f.key, f.priority FROM fresh AS f WHERE f.state = 1),
         m AS (INSERT INTO @.members(batch, key) SELECT f.batch, f.key FROM fresh AS f WHERE f.batch IS NOT NULL),
         c AS (INSERT INTO @.counts(queue, held, scheduled, ready)
               SELECT f.queue, count(*) FILTER (WHERE f.state = 0), count(*) FILTER (WHERE f.state = 1), count(*) FILTER (WHERE f.state = 2)
                 FROM fresh AS f GROUP BY f.queue)
    INSERT INTO @.told(at_ms, type, id, name, queue, attempt, duration_ms, delay_ms, error)
    SELECT p_now, 'job:dispatched', @.id_text(p_now, f.key, f.uid), f.name, f.queue, 0, -1,
           CASE WHEN f.run_at > p_now THEN f.run_at - p_now ELSE -1 END, NULL
      FROM fresh AS f WHERE p_tell ORDER BY f.key;
    UPDATE @.batches AS t SET total = t.total + s.n, pending = t.pending + s.n
      FROM (SELECT u.k, count(*) AS n FROM unnest(p_batches) AS u(k) WHERE u.k IS NOT NULL GROUP BY u.k) AS s WHERE t.key = s.k;
END
$$;

CREATE OR REPLACE FUNCTION @.push_tied(
    p_id text[], p_name text[], p_queue text[], p_data bytea[], p_options bytea[], p_priority bigint[], p_tries bigint[],
    p_run_at bigint[], p_flags bigint[], p_tags jsonb[], p_asks jsonb[], p_batch text[],
    p_edge_child bigint[], p_edge_parent bigint[], p_edge_id text[], p_edge_is_batch bigint[], p_edge_on bigint[],
    p_new_batch text, p_new_name text, p_new_allow boolean, p_new_options bytea, p_tell boolean, p_now bigint)
RETURNS TABLE(pushed int, key bigint, created_at bigint, uid text, state int) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    n int := coalesce(cardinality(p_name), 0);
    v_keys bigint[] := array(SELECT nextval('@.job_keys') FROM generate_series(1, n));
    v_pushed int[];
    v_batches bigint[];
    v_waits int[] := array_fill(0, ARRAY[n]);
    v_flags int[] := array_fill(0, ARRAY[n]);
    f @.follows := @.nothing_to_follow();
    moves @.move[] := '{}';
    j @.jobs;
    t record;
    e record;
    r record;
BEGIN
    IF p_new_batch IS NOT NULL THEN
        INSERT INTO @.batches AS b(key, uid, name, allow_failures, created_at, options)
            VALUES(nextval('@.job_keys'), p_new_batch, p_new_name, p_new_allow, p_now, p_new_options)
            ON CONFLICT ON CONSTRAINT batches_uid_key DO NOTHING RETURNING b.key INTO r;
        IF FOUND THEN
            f.batches := f.batches || r.key;
        END IF;
    END IF;
    SELECT * INTO t FROM @.ties_decide(p_id, p_asks, v_keys, p_now);
    v_pushed := array(SELECT u.state - 1 FROM unnest(t.states) WITH ORDINALITY AS u(state, i) ORDER BY u.i);
    IF p_batch IS NOT NULL THEN
        v_batches := @.ties_batches(p_batch, t.states);
    END IF;
    IF p_edge_child IS NOT NULL THEN
        SELECT * INTO e FROM @.ties_edges(p_edge_child, p_edge_parent, p_edge_id, p_edge_is_batch, p_edge_on, v_keys, t.states, t.holders,
                                          t.gone, v_waits, v_flags);
        v_waits := e.waits;
        v_flags := e.flags;
        INSERT INTO @.edges(child, parent, is_batch, on_end, state)
            SELECT v_keys[u.child + 1], u.parent, u.is_batch <> 0, u.on_end, u.state
              FROM unnest(p_edge_child, e.parents, p_edge_is_batch, p_edge_on, e.edge_states) WITH ORDINALITY
                   AS u(child, parent, is_batch, on_end, state, i)
             WHERE v_pushed[u.child + 1] = 0 ORDER BY u.i;
    END IF;
    PERFORM @.ties_insert(p_id, p_name, p_queue, p_data, p_options, p_priority, p_tries, p_run_at, p_flags, p_tags, p_asks, v_keys, t.states,
                          v_batches, v_waits, v_flags, p_tell, p_now);

    -- A key's holder takes what the newcomer brings, when that is the policy.
    FOR r IN SELECT u.i, u.holder, (u.asks->>'p')::int AS policy
               FROM unnest(t.states, t.holders, t.gone, p_asks) WITH ORDINALITY AS u(state, holder, gone, asks, i)
              WHERE u.state = 2 AND u.gone IS NOT NULL AND u.holder IS NOT NULL AND (u.asks->>'p')::int > 0 ORDER BY u.i LOOP
        j := @.holder_update(r.holder, r.policy = 1, p_data[r.i], p_options[r.i], p_run_at[r.i], p_asks[r.i], p_now);
        IF j.key IS NOT NULL THEN
            v_pushed[r.i] := r.policy + 1;
            IF p_tell THEN
                PERFORM @.tell_job(j, 'job:rescheduled', NULL, p_now);
            END IF;
        END IF;
    END LOOP;
    -- Those that have no chance: a parent ended otherwise, or the batch is cancelled.
    IF p_edge_child IS NOT NULL OR p_batch IS NOT NULL THEN
        FOR r IN SELECT u.own, g.id AS cause
                   FROM unnest(v_keys, v_pushed, v_batches) WITH ORDINALITY AS u(own, pushed, batch, i)
                        LEFT JOIN LATERAL (SELECT x.id FROM @.edges AS x WHERE x.child = u.own AND x.state = 2
                                            ORDER BY x.child, x.id LIMIT 1) AS g ON p_edge_child IS NOT NULL
                        LEFT JOIN @.batches AS b ON b.key = u.batch
                  WHERE u.pushed = 0 AND (g.id IS NOT NULL OR b.is_cancelled) ORDER BY u.i LOOP
            UPDATE @.edges AS x SET is_cause = true WHERE x.id = r.cause;
            j := @.job_lock(r.own);
            SELECT * INTO e FROM @.job_move(j, j.state, 6, 0, p_now, f);
            f := e.f;
            PERFORM @.move_made(e.j, j.state, p_tell, p_now);
        END LOOP;
    END IF;
    PERFORM @.follow(p_tell, p_now, f, moves);

    RETURN QUERY
    SELECT v.pushed, v.known, coalesce(x.created_at, h.created_at, 0), coalesce(x.uid, h.uid, CASE WHEN v.known IS NULL THEN v.gone END),
           CASE WHEN x.key IS NULL THEN 4 WHEN x.state = 2 AND v.pushed <> 0 THEN @.state_of(x) ELSE x.state::int END
      FROM (SELECT u.pushed, CASE WHEN u.pushed = 0 THEN u.own ELSE u.holder END AS known, u.gone, u.i
              FROM unnest(v_pushed, v_keys, t.holders, t.gone) WITH ORDINALITY AS u(pushed, own, holder, gone, i)) AS v
           LEFT JOIN @.jobs AS x ON x.key = v.known LEFT JOIN @.history AS h ON h.key = v.known AND v.pushed <> 0
     ORDER BY v.i;
END
$$;
