-- load.sql: what another store held, as it was there: rows are written whole, and nothing follows from them.
--
-- A job comes as one object (load.c names its fields) with its bytes beside it; so do its attempts, in order.

-- An id that is known inserts nothing: the key is that of who has it.
CREATE OR REPLACE FUNCTION @.load_batch(p jsonb, p_options bytea) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    INSERT INTO @.batches(key, uid, name, allow_failures, is_cancelled, total, pending, failed, cancelled, created_at, ended_at, options)
        VALUES(nextval('@.job_keys'), p->>'id', p->>'name', (p->>'allow')::boolean, (p->>'is_cancelled')::boolean,
               (p->>'total')::bigint, (p->>'pending')::bigint, (p->>'failed')::bigint, (p->>'cancelled')::bigint,
               (p->>'created_at')::bigint, (p->>'ended_at')::bigint, p_options)
        ON CONFLICT ON CONSTRAINT batches_uid_key DO NOTHING;
END
$$;

-- One that has fired since stays: a slot never fires twice.
CREATE OR REPLACE FUNCTION @.load_schedule(p jsonb, p_spec bytea) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    INSERT INTO @.schedules AS s(name, spec, paused, next_ms, last_slot_ms, last_job, missed_n)
        VALUES(p->>'name', coalesce(p_spec, ''), (p->>'paused')::boolean, (p->>'next_ms')::bigint, (p->>'last_slot_ms')::bigint,
               p->>'last_job', (p->>'missed_n')::bigint)
        ON CONFLICT ON CONSTRAINT schedules_pkey DO UPDATE
            SET spec = excluded.spec, paused = excluded.paused, next_ms = excluded.next_ms, last_slot_ms = excluded.last_slot_ms,
                last_job = excluded.last_job, missed_n = excluded.missed_n
            WHERE s.last_slot_ms <= excluded.last_slot_ms;
END
$$;

-- A key that another job holds stays with it.
CREATE OR REPLACE FUNCTION @.load_claim(p jsonb, p_key bigint, p_now bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    INSERT INTO @.claims AS k(key, job, id, until_ms, ends)
        VALUES(@.key_of(p->'asks'), p_key, p->>'id', (p->>'unique_until')::bigint, (p->'asks'->'u'->>0)::int)
        ON CONFLICT ON CONSTRAINT claims_pkey DO UPDATE
            SET job = excluded.job, id = excluded.id, until_ms = excluded.until_ms, ends = excluded.ends
            WHERE k.until_ms <= p_now;
END
$$;

-- The last attempt of a job that has completed stands in its row (p_last, with error and log).
CREATE OR REPLACE FUNCTION @.load_completed(p jsonb, p_key bigint, p_batch bigint, p_data bytea, p_options bytea, p_result bytea,
                                             p_last jsonb, p_error bytea, p_log bytea) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    INSERT INTO @.history(key, created_at, run_at, batch, ended_at, started_at, finished_at, max_rss_kib, cpu_ms, priority, attempt,
                          tries, flags, exit_code, signal, cause, queue, name, uid, worker, options, data, result, error, log, tags, asks)
        VALUES(p_key, (p->>'created_at')::bigint, (p->>'run_at')::bigint, p_batch, (p->>'ended_at')::bigint,
               (p->>'started_at')::bigint, coalesce((p_last->>'ended_at')::bigint, (p->>'started_at')::bigint),
               (p_last->>'max_rss_kib')::bigint, (p_last->>'cpu_ms')::bigint, (p->>'priority')::int, (p->>'attempts')::int,
               (p->>'tries')::int, (p->>'flags')::int, (p_last->>'exit_code')::int, (p_last->>'signal')::int,
               (p_last->>'cause')::smallint, p->>'queue', p->>'name', p->>'id', p->>'worker', p_options, p_data, p_result, p_error,
               p_log, @.load_tags(p), p->'asks');
END
$$;

CREATE OR REPLACE FUNCTION @.load_tags(p jsonb) RETURNS text[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE WHEN p ? 'tags' THEN array(SELECT jsonb_array_elements_text(p->'tags')) END;
END
$$;

CREATE OR REPLACE FUNCTION @.load_living(p jsonb, p_key bigint, p_batch bigint, p_data bytea, p_options bytea, p_error bytea)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    j @.jobs;
BEGIN
    INSERT INTO @.jobs AS x(key, created_at, run_at, batch, ended_at, started_at, priority, attempt, tries, flags, waits, state, queue,
                            name, uid, options, data, error, worker, tags, asks)
        VALUES(p_key, (p->>'created_at')::bigint, (p->>'run_at')::bigint, p_batch, nullif((p->>'ended_at')::bigint, 0),
               nullif((p->>'started_at')::bigint, 0), (p->>'priority')::int, (p->>'attempts')::int, (p->>'tries')::int,
               (p->>'flags')::int, (p->>'waits')::int, (p->>'state')::smallint, p->>'queue', p->>'name', p->>'id', p_options, p_data,
               p_error, nullif(p->>'worker', ''), @.load_tags(p), p->'asks')
        RETURNING * INTO j;
    PERFORM @.line_enter(j);
    IF (p->>'is_hook_due')::boolean THEN
        PERFORM @.hook_due(j);
    END IF;
END
$$;

-- The batch that the job is a member of, or NULL.
CREATE OR REPLACE FUNCTION @.load_batch_of(p jsonb) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_batch bigint;
BEGIN
    IF p ? 'batch' THEN
        SELECT key INTO v_batch FROM @.batches WHERE uid = p->>'batch';
        IF NOT FOUND THEN
            PERFORM @.not_found(format('there is no batch ''%s''', p->>'batch'));
        END IF;
    END IF;
    RETURN v_batch;
END
$$;

-- All edges of a job to its parents, when it has none yet and every parent is there.
CREATE OR REPLACE FUNCTION @.load_edges(p jsonb) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_child bigint := @.id_find(p->>'id');
    v_parents bigint[];
    v_state int;
    b @.batches;
    e jsonb;
BEGIN
    IF EXISTS(SELECT 1 FROM @.edges WHERE child = v_child) THEN
        RETURN;
    END IF;
    v_parents := array(
        SELECT CASE WHEN (x.e->>'is_batch')::boolean THEN (SELECT key FROM @.batches WHERE uid = x.e->>'id') ELSE @.id_find(x.e->>'id') END
          FROM jsonb_array_elements(p->'parents') WITH ORDINALITY AS x(e, i) ORDER BY x.i);
    IF array_position(v_parents, NULL) IS NOT NULL THEN
        RETURN;
    END IF;
    FOR i IN 1 .. cardinality(v_parents) LOOP
        e := p->'parents'->(i - 1);
        IF (e->>'is_batch')::boolean THEN
            SELECT * INTO b FROM @.batches WHERE key = v_parents[i];
            v_state := @.edge_by_batch((e->>'on')::int, b);
        ELSE
            v_state := @.edge_by_job((e->>'on')::int, @.parent_lock(v_parents[i]));
        END IF;
        INSERT INTO @.edges(child, parent, is_batch, on_end, state, is_cause)
            VALUES(v_child, v_parents[i], (e->>'is_batch')::boolean, (e->>'on')::smallint,
                   CASE WHEN (e->>'is_satisfied')::boolean THEN 1 ELSE v_state END, (e->>'has_cancelled')::boolean);
    END LOOP;
END
$$;

-- p_attempt: of job number "job" (from 1), in order; "is_last": stands in the row of its job.
CREATE OR REPLACE FUNCTION @.load(p_now bigint, p_job jsonb[], p_data bytea[], p_options bytea[], p_error bytea[], p_result bytea[],
                                   p_attempt jsonb[], p_attempt_error bytea[], p_log bytea[], p_batch jsonb[], p_batch_options bytea[],
                                   p_schedule jsonb[], p_spec bytea[])
RETURNS TABLE(pushed int, state int) LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    v_now bigint := CASE WHEN p_now = 0 THEN @.clock_ms() ELSE p_now END;
    v_known bigint[];                                                                       -- of those that are there
    v_keys bigint[] := array_fill(NULL::bigint, ARRAY[coalesce(cardinality(p_job), 0)]);    -- of those that are new
    v_last int[] := array_fill(NULL::int, ARRAY[coalesce(cardinality(p_job), 0)]);
    v_batch bigint;
    a int;
BEGIN
    PERFORM @.rules_lock();
    FOR i IN 1 .. coalesce(cardinality(p_schedule), 0) LOOP
        PERFORM @.load_schedule(p_schedule[i], p_spec[i]);
    END LOOP;
    FOR i IN 1 .. coalesce(cardinality(p_batch), 0) LOOP
        PERFORM @.load_batch(p_batch[i], p_batch_options[i]);
    END LOOP;
    FOR i IN 1 .. coalesce(cardinality(p_attempt), 0) LOOP
        IF (p_attempt[i]->>'is_last')::boolean THEN
            v_last[(p_attempt[i]->>'job')::int] := i;
        END IF;
    END LOOP;
    -- Most that are there were loaded, so they have an id of their own.
    v_known := ARRAY(SELECT coalesce((SELECT u.key FROM @.uids AS u WHERE u.uid = x.job->>'id'), @.id_find(x.job->>'id'))
                       FROM unnest(p_job) WITH ORDINALITY AS x(job, i) ORDER BY x.i);
    FOR i IN 1 .. coalesce(cardinality(p_job), 0) LOOP
        v_batch := @.load_batch_of(p_job[i]);
        CONTINUE WHEN v_known[i] IS NOT NULL;
        v_keys[i] := nextval('@.job_keys');
        INSERT INTO @.uids(uid, key) VALUES(p_job[i]->>'id', v_keys[i]);
        IF (p_job[i]->>'state')::int = 4 THEN
            a := v_last[i];
            PERFORM @.load_completed(p_job[i], v_keys[i], v_batch, p_data[i], p_options[i], p_result[i], p_attempt[a],
                                     p_attempt_error[a], p_log[a]);
        ELSE
            PERFORM @.load_living(p_job[i], v_keys[i], v_batch, p_data[i], p_options[i], p_error[i]);
        END IF;
        IF v_batch IS NOT NULL THEN
            INSERT INTO @.members(batch, key) VALUES(v_batch, v_keys[i]);
        END IF;
        IF (p_job[i]->>'unique_until')::bigint > v_now THEN
            PERFORM @.load_claim(p_job[i], v_keys[i], v_now);
        END IF;
    END LOOP;
    PERFORM @.count_move(x.job->>'queue', NULL, (x.job->>'state')::int, count(*))
       FROM unnest(p_job, v_keys) AS x(job, key) WHERE x.key IS NOT NULL GROUP BY x.job->>'queue', x.job->>'state';
    RETURN QUERY SELECT (x.known IS NOT NULL)::int, coalesce(r.state::int, (x.job->>'state')::int)
                   FROM unnest(p_job, v_known) WITH ORDINALITY AS x(job, known, i)
                   LEFT JOIN @.job_rows(ARRAY(SELECT k FROM unnest(v_known) AS u(k) WHERE k IS NOT NULL), false) AS r ON r.key = x.known
                  ORDER BY x.i;
    INSERT INTO @.attempts(key, n, started_at, ended_at, worker, outcome, cause, exit_code, signal, max_rss_kib, cpu_ms, error, log)
        SELECT v_keys[(x.a->>'job')::int], (x.a->>'n')::int, (x.a->>'started_at')::bigint, (x.a->>'ended_at')::bigint, x.a->>'worker',
               (x.a->>'outcome')::smallint, (x.a->>'cause')::smallint, (x.a->>'exit_code')::int, (x.a->>'signal')::int,
               (x.a->>'max_rss_kib')::bigint, (x.a->>'cpu_ms')::bigint, p_attempt_error[x.i], p_log[x.i]
          FROM unnest(p_attempt) WITH ORDINALITY AS x(a, i)
         WHERE v_keys[(x.a->>'job')::int] IS NOT NULL AND NOT (x.a->>'is_last')::boolean
         ORDER BY x.i;
    FOR i IN 1 .. coalesce(cardinality(p_job), 0) LOOP
        IF p_job[i] ? 'parents' THEN
            PERFORM @.load_edges(p_job[i]);
        END IF;
    END LOOP;
    PERFORM @.wake(3 | CASE WHEN cardinality(p_schedule) > 0 THEN 16 ELSE 0 END, true);
END
$$;
