-- push.sql: storing jobs, all or nothing.
--
-- Where nothing stands in the way (no id of the caller's, no key, no edge, no batch), jobs are inserted as a set. Else one
-- after the other: the plan of the memory driver, without a plan, because the transaction takes back what does not go through.

-- One element of asks as it is kept: the policy is for the push alone.
CREATE OR REPLACE FUNCTION @.asks_kept(p_asks jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT p_asks - 'p'
$$;

CREATE OR REPLACE FUNCTION @.flags_of(p_asks jsonb) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce((p_asks ? 'u')::int + (p_asks ? 'l')::int * 2, 0)
$$;

-- The waiting holder of a key takes what the newcomer brings. NULL: it does not wait (any more), and nothing was changed.
CREATE OR REPLACE FUNCTION @.holder_update(p_holder bigint, p_replace boolean, p_data bytea, p_options bytea, p_run_at bigint,
                                            p_asks jsonb, p_now bigint) RETURNS @.jobs LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    j @.jobs;
BEGIN
    j := @.job_lock(p_holder);
    IF j.key IS NULL OR @.state_of(j) > 2 THEN
        RETURN NULL;
    END IF;
    IF p_replace THEN
        UPDATE @.jobs SET data = p_data, options = p_options WHERE key = j.key;
    END IF;
    j := @.job_put_off(j, greatest(p_run_at, p_now), p_now);
    j.asks := jsonb_set(j.asks, '{u,1}', p_asks->'u'->1);
    UPDATE @.jobs SET asks = j.asks WHERE key = j.key;
    UPDATE @.claims SET until_ms = @.until_of(p_now, (p_asks->'u'->>1)::bigint) WHERE key = @.key_of(j.asks) AND job = j.key;
    RETURN j;
END
$$;

-- The batch that is pushed to, locked; with its own definition it is made when it is not there.
CREATE OR REPLACE FUNCTION @.batch_find(p_uid text) RETURNS @.batches LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    b @.batches;
BEGIN
    SELECT * INTO b FROM @.batches WHERE uid = p_uid FOR UPDATE;
    RETURN b;
END
$$;

-- The key and state of a parent: its row is locked and flagged, so that its end sees the new edge.
CREATE OR REPLACE FUNCTION @.parent_lock(p_key bigint, OUT state int) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE @.jobs AS j SET flags = j.flags | 8 WHERE j.key = p_key RETURNING j.state INTO state;
    IF NOT FOUND THEN
        SELECT 4 INTO state FROM @.history AS h WHERE h.key = p_key;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION @.push_told(j @.jobs, p_run_at bigint, p_now bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    INSERT INTO @.told(at_ms, type, id, name, queue, attempt, duration_ms, delay_ms, error)
        VALUES(p_now, 'job:dispatched', @.id_text(j.created_at, j.key, j.uid), j.name, j.queue, 0, -1,
               CASE WHEN p_run_at > p_now THEN p_run_at - p_now ELSE -1 END, NULL);
END
$$;

-- Jobs without ties, in one go. Answers the first of their numbers, which follow each other.
CREATE OR REPLACE FUNCTION @.push_set(
    p_name text[], p_queue text[], p_data bytea[], p_options bytea[], p_priority bigint[], p_tries bigint[], p_run_at bigint[],
    p_flags bigint[], p_tags jsonb[], p_asks jsonb[], p_tell boolean, p_now bigint)
RETURNS TABLE(key bigint, state int) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN QUERY
    WITH fresh AS (
            INSERT INTO @.jobs AS j(key, created_at, run_at, priority, attempt, tries, flags, waits, state, queue, name, options, data,
                               tags, asks)
            SELECT nextval('@.job_keys'), p_now, greatest(u.run_at, p_now), coalesce(u.priority, 0), 0, u.tries,
                   coalesce(u.flags, 0) | @.flags_of(u.asks), 0, CASE WHEN u.run_at > p_now THEN 1 ELSE 2 END, u.queue, u.name,
                   u.options, u.data, CASE WHEN u.tags IS NOT NULL THEN array(SELECT jsonb_array_elements_text(u.tags)) END, u.asks
              FROM unnest(p_name, p_queue, p_data, p_options, p_priority, p_tries, p_run_at, p_flags, p_tags, p_asks)
                   AS u(name, queue, data, options, priority, tries, run_at, flags, tags, asks)
            RETURNING j.key, j.queue, j.priority, j.run_at, j.flags, j.state, j.name),
         r AS (INSERT INTO @.ready(queue, priority, run_at, key, flags)
               SELECT f.queue, f.priority, f.run_at, f.key, f.flags FROM fresh AS f WHERE f.state = 2),
         s AS (INSERT INTO @.scheduled(queue, run_at, key, priority)
               SELECT f.queue, f.run_at, f.key, f.priority FROM fresh AS f WHERE f.state = 1),
         c AS (INSERT INTO @.counts(queue, scheduled, ready)
               SELECT f.queue, count(*) FILTER (WHERE f.state = 1), count(*) FILTER (WHERE f.state = 2) FROM fresh AS f GROUP BY f.queue),
         t AS (INSERT INTO @.told(at_ms, type, id, name, queue, attempt, duration_ms, delay_ms, error)
               SELECT p_now, 'job:dispatched', @.id_text(p_now, f.key, NULL), f.name, f.queue, 0, -1,
                      CASE WHEN f.run_at > p_now THEN f.run_at - p_now ELSE -1 END, NULL
                 FROM fresh AS f WHERE p_tell ORDER BY f.key)
    SELECT f.key, f.state::int FROM fresh AS f;
END
$$;

-- A job on its own: what a dispatch is, nearly always.
CREATE OR REPLACE FUNCTION @.push_plain(
    p_name text, p_queue text, p_data bytea, p_options bytea, p_priority int, p_tries int, p_run_at bigint, p_flags int,
    p_tags text[], p_asks jsonb, p_tell boolean, p_now bigint, OUT key bigint, OUT state int)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_run_at bigint := greatest(p_run_at, p_now);
BEGIN
    key := nextval('@.job_keys');
    state := CASE WHEN p_run_at > p_now THEN 1 ELSE 2 END;
    INSERT INTO @.jobs AS j(key, created_at, run_at, priority, attempt, tries, flags, waits, state, queue, name, options, data, tags, asks)
        VALUES(push_plain.key, p_now, v_run_at, p_priority, 0, p_tries, p_flags, 0, push_plain.state, p_queue, p_name, p_options,
               p_data, p_tags, p_asks);
    IF state = 2 THEN
        INSERT INTO @.ready(queue, priority, run_at, key, flags) VALUES(p_queue, p_priority, v_run_at, push_plain.key, p_flags);
        INSERT INTO @.counts(queue, ready) VALUES(p_queue, 1);
    ELSE
        INSERT INTO @.scheduled(queue, run_at, key, priority) VALUES(p_queue, v_run_at, push_plain.key, p_priority);
        INSERT INTO @.counts(queue, scheduled) VALUES(p_queue, 1);
    END IF;
    IF p_tell THEN
        INSERT INTO @.told(at_ms, type, id, name, queue, attempt, duration_ms, delay_ms, error)
            VALUES(p_now, 'job:dispatched', @.id_text(p_now, push_plain.key, NULL), p_name, p_queue, 0, -1,
                   CASE WHEN v_run_at > p_now THEN v_run_at - p_now ELSE -1 END, NULL);
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION @.not_found(p_text text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'ER003', MESSAGE = p_text;
END
$$;

-- Jobs one after the other, with whatever ties they have.
CREATE OR REPLACE FUNCTION @.push_each(
    p_id text[], p_name text[], p_queue text[], p_data bytea[], p_options bytea[], p_priority bigint[], p_tries bigint[],
    p_run_at bigint[], p_flags bigint[], p_tags jsonb[], p_asks jsonb[], p_batch text[],
    p_edge_child bigint[], p_edge_parent bigint[], p_edge_id text[], p_edge_is_batch bigint[], p_edge_on bigint[],
    p_new_batch text, p_new_name text, p_new_allow boolean, p_new_options bytea, p_tell boolean, p_now bigint)
RETURNS TABLE(pushed int, key bigint, created_at bigint, uid text, state int) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    n int := coalesce(cardinality(p_name), 0);
    v_pushed int[] := array_fill(0, ARRAY[n]);
    v_keys bigint[] := array_fill(NULL::bigint, ARRAY[n]);     -- of the job that stands for it; NULL: pruned
    v_gone text[] := array_fill(NULL::text, ARRAY[n]);         -- its id then
    v_batches bigint[] := array_fill(NULL::bigint, ARRAY[n]);
    v_parent bigint;
    v_state int;
    f @.follows := @.nothing_to_follow();
    moves @.move[] := '{}';
    b @.batches;
    c @.claims;
    j @.jobs;
    v_cause bigint;
    r record;
BEGIN
    IF p_new_batch IS NOT NULL THEN
        INSERT INTO @.batches(key, uid, name, allow_failures, created_at, options)
            VALUES(nextval('@.job_keys'), p_new_batch, p_new_name, p_new_allow, p_now, p_new_options)
            ON CONFLICT ON CONSTRAINT batches_uid_key DO NOTHING RETURNING * INTO b;
        IF b.key IS NOT NULL THEN
            f.batches := f.batches || b.key;
        END IF;
    END IF;

    -- What becomes of each: the id is looked at first, then the key.
    FOR i IN 1 .. n LOOP
        IF p_id[i] IS NOT NULL THEN
            v_keys[i] := @.id_find(p_id[i]);
            IF v_keys[i] IS NULL THEN
                -- Waits for one who is about to store it, too.
                INSERT INTO @.uids(uid, key) VALUES(p_id[i], nextval('@.job_keys')) ON CONFLICT ON CONSTRAINT uids_pkey DO NOTHING
                    RETURNING uids.key INTO v_parent;
                IF NOT FOUND THEN
                    SELECT u.key INTO v_keys[i] FROM @.uids AS u WHERE u.uid = p_id[i];
                END IF;
            END IF;
            IF v_keys[i] IS NOT NULL THEN
                v_pushed[i] := 1;
                CONTINUE;
            END IF;
            v_keys[i] := v_parent;
        ELSE
            v_keys[i] := nextval('@.job_keys');
        END IF;
        IF p_asks[i] ? 'u' THEN
            INSERT INTO @.claims AS k(key, job, id, until_ms, ends)
                VALUES(@.key_of(p_asks[i]), v_keys[i], @.id_text(p_now, v_keys[i], p_id[i]),
                       @.until_of(p_now, (p_asks[i]->'u'->>1)::bigint), (p_asks[i]->'u'->>0)::int)
                ON CONFLICT ON CONSTRAINT claims_pkey DO UPDATE
                    SET job = excluded.job, id = excluded.id, until_ms = excluded.until_ms, ends = excluded.ends
                    WHERE k.until_ms <= p_now;
            IF NOT FOUND THEN
                SELECT * INTO c FROM @.claims AS k WHERE k.key = @.key_of(p_asks[i]);
                DELETE FROM @.uids AS u WHERE u.uid = p_id[i] AND u.key = v_keys[i];
                v_pushed[i] := 1;
                v_keys[i] := c.job;
                v_gone[i] := c.id;
                IF c.job IS NOT NULL AND (p_asks[i]->>'p')::int > 0 THEN
                    j := @.holder_update(c.job, (p_asks[i]->>'p')::int = 1, p_data[i], p_options[i], p_run_at[i], p_asks[i], p_now);
                    v_pushed[i] := CASE WHEN j.key IS NULL THEN 1 WHEN (p_asks[i]->>'p')::int = 1 THEN 2 ELSE 3 END;
                END IF;
                CONTINUE;
            END IF;
        END IF;
        INSERT INTO @.jobs AS x(key, created_at, run_at, priority, attempt, tries, flags, waits, state, queue, name, uid, options, data,
                           tags, asks)
            VALUES(v_keys[i], p_now, greatest(p_run_at[i], p_now), coalesce(p_priority[i], 0), 0, p_tries[i],
                   coalesce(p_flags[i], 0) | @.flags_of(p_asks[i]), 0, 0, p_queue[i], p_name[i], p_id[i], p_options[i], p_data[i],
                   CASE WHEN p_tags[i] IS NOT NULL THEN array(SELECT jsonb_array_elements_text(p_tags[i])) END, @.asks_kept(p_asks[i]));
    END LOOP;

    -- Members.
    FOR i IN 1 .. n LOOP
        CONTINUE WHEN p_batch[i] IS NULL;
        IF b.uid IS DISTINCT FROM p_batch[i] THEN
            b := @.batch_find(p_batch[i]);
        END IF;
        IF b.key IS NULL THEN
            PERFORM @.not_found(format('there is no batch ''%s''', p_batch[i]));
        END IF;
        CONTINUE WHEN v_pushed[i] <> 0;
        IF b.ended_at <> 0 THEN
            RAISE EXCEPTION USING ERRCODE = 'ER014', MESSAGE = format('batch ''%s'' has ended: no members can be added', p_batch[i]);
        END IF;
        v_batches[i] := b.key;
        INSERT INTO @.members(batch, key) VALUES(b.key, v_keys[i]);
        UPDATE @.jobs AS x SET batch = b.key, flags = x.flags | 4 WHERE x.key = v_keys[i];
    END LOOP;
    UPDATE @.batches AS t SET total = t.total + s.n, pending = t.pending + s.n
      FROM (SELECT u.k, count(*) AS n FROM unnest(v_batches) AS u(k) WHERE u.k IS NOT NULL GROUP BY u.k) AS s WHERE t.key = s.k;

    -- Edges; a parent that has ended already counts at once.
    FOR i IN 1 .. coalesce(cardinality(p_edge_child), 0) LOOP
        v_parent := NULL;
        IF p_edge_is_batch[i] <> 0 THEN
            IF b.uid IS DISTINCT FROM p_edge_id[i] THEN
                b := @.batch_find(p_edge_id[i]);
            END IF;
            v_parent := b.key;
            v_state := @.edge_by_batch(p_edge_on[i]::int, b);
        ELSE
            v_parent := CASE WHEN p_edge_id[i] IS NOT NULL THEN @.id_find(p_edge_id[i]) ELSE v_keys[p_edge_parent[i] + 1] END;
            v_state := @.edge_by_job(p_edge_on[i]::int, @.parent_lock(v_parent));
        END IF;
        IF v_parent IS NULL OR v_state IS NULL THEN
            PERFORM @.not_found(format('there is no %s ''%s'' to wait for', CASE WHEN p_edge_is_batch[i] <> 0 THEN 'batch' ELSE 'job' END,
                                       coalesce(p_edge_id[i], v_gone[p_edge_parent[i] + 1])));
        END IF;
        CONTINUE WHEN v_pushed[p_edge_child[i] + 1] <> 0;
        INSERT INTO @.edges(child, parent, is_batch, on_end, state)
            VALUES(v_keys[p_edge_child[i] + 1], v_parent, p_edge_is_batch[i] <> 0, p_edge_on[i], v_state);
        UPDATE @.jobs AS x SET flags = x.flags | 16, waits = x.waits + (v_state <> 1)::int WHERE x.key = v_keys[p_edge_child[i] + 1];
    END LOOP;

    -- Where they stand.
    FOR i IN 1 .. n LOOP
        CONTINUE WHEN v_pushed[i] = 1;
        j := @.job_lock(v_keys[i]);
        IF v_pushed[i] > 1 THEN
            IF p_tell THEN
                PERFORM @.tell_job(j, 'job:rescheduled', NULL, p_now);
            END IF;
            CONTINUE;
        END IF;
        IF j.waits = 0 THEN
            j.state := CASE WHEN j.run_at > p_now THEN 1 ELSE 2 END;
            UPDATE @.jobs AS x SET state = j.state WHERE x.key = j.key;
            PERFORM @.line_enter(j);
        END IF;
        PERFORM @.count_move(j.queue, NULL, j.state, 1);
        IF p_tell THEN
            PERFORM @.push_told(j, p_run_at[i], p_now);
        END IF;
    END LOOP;
    -- Those that have no chance: a parent ended otherwise, or the batch is cancelled.
    FOR i IN 1 .. n LOOP
        CONTINUE WHEN v_pushed[i] <> 0 OR (v_batches[i] IS NULL AND p_edge_child IS NULL);
        j := @.job_lock(v_keys[i]);
        v_cause := NULL;
        SELECT e.id INTO v_cause FROM @.edges AS e WHERE e.child = j.key AND e.state = 2 ORDER BY e.child, e.id LIMIT 1;
        UPDATE @.edges AS e SET is_cause = true WHERE e.id = v_cause;
        IF v_cause IS NOT NULL OR EXISTS(SELECT 1 FROM @.batches AS t WHERE t.key = v_batches[i] AND t.is_cancelled) THEN
            SELECT * INTO r FROM @.job_move(j, j.state, 6, 0, p_now, f);
            f := r.f;
            PERFORM @.move_made(r.j, j.state, p_tell, p_now);
        END IF;
    END LOOP;
    PERFORM @.follow(p_tell, p_now, f, moves);

    RETURN QUERY
    SELECT v.pushed, v.key, coalesce(x.created_at, h.created_at, 0), coalesce(x.uid, h.uid, CASE WHEN v.key IS NULL THEN v.gone END),
           CASE WHEN x.key IS NULL THEN 4 WHEN x.state = 2 AND v.pushed <> 0 THEN @.state_of(x) ELSE x.state::int END
      FROM unnest(v_pushed, v_keys, v_gone) WITH ORDINALITY AS v(pushed, key, gone, i)
           LEFT JOIN @.jobs AS x ON x.key = v.key LEFT JOIN @.history AS h ON h.key = v.key
     ORDER BY v.i;
END
$$;

-- p_salt: of the store that is meant: the application's own connection may be to another one, and ours may have been to one
-- that was dropped since (ER099). p_is_own false: in a transaction that is not ours.
CREATE OR REPLACE FUNCTION @.push(
    p_now bigint, p_salt bigint, p_is_own boolean, p_id text[], p_name text[], p_queue text[], p_data bytea[], p_options bytea[],
    p_priority bigint[], p_tries bigint[], p_run_at bigint[], p_flags bigint[], p_tags jsonb[], p_asks jsonb[], p_batch text[],
    p_edge_child bigint[], p_edge_parent bigint[], p_edge_id text[], p_edge_is_batch bigint[], p_edge_on bigint[],
    p_new_batch text, p_new_name text, p_new_allow boolean, p_new_options bytea)
RETURNS TABLE(pushed int, key bigint, created_at bigint, uid text, state int, hints int) LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    v_xact xid8 := pg_current_xact_id();   -- before the clock is read: marks.sql
    v_now bigint := CASE WHEN p_now = 0 THEN @.clock_ms() ELSE p_now END;
    v_root @.root;
    v_tell boolean;
    v_tied boolean := p_id IS NOT NULL OR p_batch IS NOT NULL OR p_edge_child IS NOT NULL OR p_new_batch IS NOT NULL;
    v_wakes int := 1;
BEGIN
    SELECT * INTO v_root FROM @.root;
    IF v_root.salt <> p_salt THEN
        RAISE EXCEPTION USING ERRCODE = 'ER099', MESSAGE = 'the connection is to another store than this one';
    END IF;
    v_tell := v_root.follow_until > v_now;
    IF NOT v_tied AND p_asks IS NOT NULL THEN
        v_tied := EXISTS(SELECT 1 FROM unnest(p_asks) AS a WHERE a ? 'u');
    END IF;
    IF v_tied THEN
        IF p_is_own AND (p_edge_id IS NOT NULL OR p_batch IS NOT NULL OR p_asks IS NOT NULL) THEN
            PERFORM @.rules_lock();
        END IF;
        v_wakes := 3;
        RETURN QUERY SELECT e.pushed, e.key, e.created_at, e.uid, e.state, v_tell::int
                       FROM @.push_each(p_id, p_name, p_queue, p_data, p_options, p_priority, p_tries, p_run_at, p_flags, p_tags, p_asks,
                                        p_batch, p_edge_child, p_edge_parent, p_edge_id, p_edge_is_batch, p_edge_on, p_new_batch,
                                        p_new_name, p_new_allow, p_new_options, v_tell, v_now) AS e;
    ELSIF cardinality(p_name) = 1 THEN
        RETURN QUERY SELECT 0, e.key, v_now, NULL::text, e.state, v_tell::int
                       FROM @.push_plain(p_name[1], p_queue[1], p_data[1], p_options[1], coalesce(p_priority[1], 0)::int, p_tries[1]::int,
                                         p_run_at[1], (coalesce(p_flags[1], 0) | @.flags_of(p_asks[1]))::int,
                                         CASE WHEN p_tags IS NOT NULL THEN array(SELECT jsonb_array_elements_text(p_tags[1])) END,
                                         p_asks[1], v_tell, v_now) AS e;
    ELSE
        RETURN QUERY SELECT 0, e.key, v_now, NULL::text, e.state, v_tell::int
                       FROM @.push_set(p_name, p_queue, p_data, p_options, p_priority, p_tries, p_run_at, p_flags, p_tags, p_asks, v_tell,
                                       v_now) AS e;
    END IF;
    IF p_now <> 0 THEN
        PERFORM @.marks_lower_all(p_queue, p_now);
    END IF;
    PERFORM @.wake(v_wakes | v_tell::int * 8, p_is_own);
END
$$;
