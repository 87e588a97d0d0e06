-- settle.sql: outcomes of attempts. Only a job that is RUNNING under the outcome's token changes; to all others it says LOST,
-- however often they are settled.

-- Takes jobs and hooks off a lease, which ends with its last one.
CREATE OR REPLACE FUNCTION @.lease_leave(p_token bigint, p_keys bigint[]) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE @.leases
       SET keys = array(SELECT u.k FROM unnest(keys) WITH ORDINALITY AS u(k, i) LEFT JOIN unnest(p_keys) AS g(k) ON g.k = u.k
                         WHERE g.k IS NULL ORDER BY u.i),
           hooks = array(SELECT u.k FROM unnest(hooks) WITH ORDINALITY AS u(k, i) LEFT JOIN unnest(p_keys) AS g(k) ON g.k = u.k
                          WHERE g.k IS NULL ORDER BY u.i)
     WHERE token = p_token;
    DELETE FROM @.leases WHERE token = p_token AND keys = '{}' AND hooks = '{}';
END
$$;

-- What the end of an attempt is called, told before anything that follows from it.
CREATE OR REPLACE FUNCTION @.tell_outcome(j @.jobs, o @.outcome, p_kind int, p_now bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF o.flags & 2 = 0 OR p_kind NOT BETWEEN 0 AND 5 THEN
        RETURN;
    END IF;
    INSERT INTO @.told(at_ms, type, id, name, queue, attempt, duration_ms, delay_ms, error)
        VALUES(p_now,
               (ARRAY['job:completed', 'job:retrying', 'job:failed', 'job:snoozed', 'job:released', 'job:cancelled'])[p_kind + 1],
               @.id_text(j.created_at, j.key, j.uid), j.name, j.queue, j.attempt + 1 + (p_kind = 1)::int,
               greatest(o.ended_at - o.started_at, 0),
               CASE WHEN p_kind IN (1, 3) THEN greatest(o.run_at - o.ended_at, 0) ELSE -1 END, @.told_error(o.error));
END
$$;

-- COMPLETED: the row goes to history, or nowhere.
CREATE OR REPLACE FUNCTION @.job_complete(j @.jobs, o @.outcome, p_worker text, p_keep boolean, p_now bigint, INOUT f @.follows)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM @.run_ended(ARRAY[j.key], p_now);
    IF j.flags & 1 <> 0 THEN
        PERFORM @.claims_release(ARRAY[j.key], false);
    END IF;
    IF p_keep THEN
        INSERT INTO @.history(key, created_at, run_at, batch, ended_at, started_at, finished_at, max_rss_kib, cpu_ms, priority,
                              attempt, tries, flags, exit_code, signal, cause, queue, name, uid, worker, options, data, result,
                              error, log, tags, asks)
            VALUES(j.key, j.created_at, j.run_at, j.batch, p_now, o.started_at, o.ended_at, nullif(o.max_rss_kib, 0),
                   nullif(o.cpu_ms, 0), j.priority, j.attempt + 1, j.tries, j.flags & ~64, nullif(o.exit_code, 0),
                   nullif(o.signal, 0), nullif(o.cause, 0), j.queue, j.name, j.uid, p_worker, j.options, j.data, o.result,
                   o.error, o.log, j.tags, j.asks);
    END IF;
    DELETE FROM @.jobs WHERE key = j.key;
    PERFORM @.count_move(j.queue, 3, CASE WHEN p_keep THEN 4 END, 1);
    IF j.flags & 4 <> 0 THEN
        f := @.batch_count(j.batch, 3, 4, f);
    END IF;
    IF j.flags & 8 <> 0 AND NOT j.key = ANY (f.jobs) THEN
        f.jobs := f.jobs || j.key;
    END IF;
END
$$;

-- The job learns what it asks. False: another job has the key.
CREATE OR REPLACE FUNCTION @.job_asks(INOUT j @.jobs, p_asks jsonb, p_now bigint, OUT is_free boolean) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    is_free := true;
    IF p_asks ? 'u' AND j.flags & 1 = 0 THEN
        j.asks := coalesce(j.asks, '{}') || jsonb_build_object('u', p_asks->'u');
        is_free := @.claim_take(j, p_now);
        IF NOT is_free THEN
            RETURN;
        END IF;
        j.flags := j.flags | 1;
    END IF;
    IF p_asks ? 'l' AND j.flags & 2 = 0 THEN
        j.asks := coalesce(j.asks, '{}') || jsonb_build_object('l', p_asks->'l');
        j.flags := j.flags | 2;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION @.settle_one(o @.outcome, p_keep boolean, p_tell boolean, p_now bigint, OUT settled int,
                                         INOUT moves @.move[]) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    l @.leases;
    j @.jobs;
    r record;
    f @.follows := @.nothing_to_follow();
    v_to int;
    v_attempts int := 0;
BEGIN
    settled := 1;
    SELECT * INTO l FROM @.leases WHERE token = o.token FOR UPDATE;
    IF NOT FOUND OR NOT o.key = ANY (CASE WHEN o.kind = 6 THEN l.hooks ELSE l.keys END) THEN
        RETURN;
    END IF;
    j := @.job_lock(o.key);
    PERFORM @.lease_leave(o.token, ARRAY[o.key]);
    settled := 0;
    IF o.kind = 6 THEN
        UPDATE @.jobs SET flags = flags & ~256 WHERE key = o.key;
        RETURN;
    END IF;
    -- The handler has completed it inside its own transaction: whatever became of it afterwards, it is done.
    SELECT 0, coalesce(c.result, o.result) INTO r FROM @.completions AS c WHERE c.key = o.key AND c.token = o.token;
    IF FOUND THEN
        o.kind := 0;
        o.error := NULL;
        o.result := r.coalesce;
    END IF;
    o.started_at := coalesce(nullif(o.started_at, 0), l.started_at);
    o.ended_at := coalesce(nullif(o.ended_at, 0), p_now);
    j.worker := l.worker;
    IF j.flags & 64 <> 0 AND o.kind IN (1, 3, 4, 7) THEN
        -- Somebody wants it stopped, and it would run again: it does not.
        j.error := coalesce(o.error, j.error);
        j := @.attempt_add(j, o, 5, l.worker);
        SELECT * INTO r FROM @.job_move(j, 3, 6, 0, p_now, f);
        f := r.f;
        moves := moves || @.move_made(r.j, 3, p_tell, p_now);
    ELSE
        IF o.kind = 7 THEN
            SELECT * INTO r FROM @.job_asks(j, o.asks, p_now);
            IF r.is_free THEN
                j := r.j;
            ELSE
                settled := 2;
                o.kind := 0;
            END IF;
        END IF;
        IF p_tell THEN
            PERFORM @.tell_outcome(j, o, o.kind, p_now);
        END IF;
        IF o.kind = 0 THEN
            f := @.job_complete(j, o, l.worker, p_keep, p_now, f);
        ELSE
            IF o.kind IN (1, 2, 5) THEN
                j.error := CASE WHEN o.kind = 5 THEN coalesce(o.error, j.error) ELSE o.error END;
                j := @.attempt_add(j, o, o.kind, l.worker);
            END IF;
            IF o.kind IN (1, 3) THEN
                j.run_at := greatest(o.run_at, p_now);
            END IF;
            v_to := CASE WHEN o.kind IN (1, 3) THEN 1 WHEN o.kind = 2 THEN 5 WHEN o.kind = 5 THEN 6 ELSE 2 END;
            v_attempts := CASE WHEN o.kind IN (3, 4, 7) THEN -1 ELSE 0 END;
            SELECT * INTO r FROM @.job_move(j, 3, v_to, v_attempts, p_now, f);
            f := r.f;
            IF o.kind = 2 AND o.flags & 1 <> 0 THEN
                PERFORM @.hook_due(r.j);
            END IF;
        END IF;
    END IF;
    SELECT * INTO r FROM @.follow(p_tell, p_now, f, moves);
    moves := r.moves;
    IF o.kind = 0 AND NOT p_keep THEN
        PERFORM @.trace_drop(ARRAY[j.key], ARRAY[j.uid], ARRAY[j.batch], ARRAY[@.key_of(j.asks)], false);
    END IF;
END
$$;

-- Outcomes that are all DONE: as sets. An array is NULL where all are 0. p_tied: jobs may hold a key, be members or have children,
-- under the rules lock (settled.sql).
-- Joins here are of sets of the same size, which the planner takes for small: a nested loop is quadratic.
CREATE OR REPLACE FUNCTION @.settle_done(p_token bigint[], p_key bigint[], p_started bigint[], p_ended bigint[], p_rss bigint[],
                                          p_cpu bigint[], p_flags bigint[], p_log bytea[], p_result bytea[], p_keep boolean, p_tell boolean,
                                          p_tied boolean, p_now bigint, OUT answer bytea, OUT keys bigint[], OUT uids text[],
                                          OUT batches bigint[], OUT claims bytea[], OUT parents bigint[])
LANGUAGE plpgsql VOLATILE SET enable_nestloop = off AS $$
DECLARE
    v_good bigint[];
    v_token bigint;
    v_flags int;
BEGIN
    answer := decode(repeat('00', cardinality(p_key)), 'hex');
    PERFORM 1 FROM @.leases WHERE token = ANY (p_token) ORDER BY token FOR UPDATE;
    WITH o AS MATERIALIZED (
            SELECT DISTINCT ON (u.key) u.*, l.since, l.worker
              FROM unnest(p_token, p_key, p_started, p_ended, p_rss, p_cpu, p_flags, p_log, p_result) WITH ORDINALITY
                   AS u(token, key, started_at, ended_at, rss, cpu, flags, log, result, i)
              JOIN (SELECT token, started_at AS since, worker, unnest(x.keys) AS key FROM @.leases AS x WHERE token = ANY (p_token)) AS l
                ON l.token = u.token AND l.key = u.key
             ORDER BY u.key, u.i),
         gone AS (DELETE FROM @.jobs WHERE key = ANY (ARRAY(SELECT key FROM o)) RETURNING *),
         kept AS (
            INSERT INTO @.history(key, created_at, run_at, batch, ended_at, started_at, finished_at, max_rss_kib, cpu_ms, priority,
                                  attempt, tries, flags, queue, name, uid, worker, options, data, result, log, tags, asks)
            SELECT g.key, g.created_at, g.run_at, g.batch, p_now, coalesce(nullif(o.started_at, 0), o.since),
                   coalesce(nullif(o.ended_at, 0), p_now), nullif(o.rss, 0), nullif(o.cpu, 0), g.priority, g.attempt + 1,
                   g.tries, g.flags, g.queue, g.name, g.uid, o.worker, g.options, g.data, o.result, o.log, g.tags, g.asks
              FROM o JOIN gone AS g ON g.key = o.key WHERE p_keep),
         said AS (
            INSERT INTO @.told(at_ms, type, id, name, queue, attempt, duration_ms, delay_ms, error)
            SELECT p_now, 'job:completed', @.id_text(g.created_at, g.key, g.uid), g.name, g.queue, g.attempt + 1,
                   greatest(coalesce(nullif(o.ended_at, 0), p_now) - coalesce(nullif(o.started_at, 0), o.since), 0), -1, NULL
              FROM o JOIN gone AS g ON g.key = o.key WHERE p_tell AND o.flags & 2 <> 0 ORDER BY o.i),
         counted AS (
            INSERT INTO @.counts(queue, running, completed)
            SELECT queue, -count(*), CASE WHEN p_keep THEN count(*) ELSE 0 END FROM gone GROUP BY queue)
    SELECT array_agg(o.key), array_agg(o.i), bit_or(g.flags), array_agg(g.uid) FILTER (WHERE g.uid IS NOT NULL),
           array_agg(g.batch) FILTER (WHERE g.flags & 4 <> 0), array_agg(@.key_of(g.asks)) FILTER (WHERE g.flags & 1 <> 0),
           array_agg(g.key ORDER BY o.i) FILTER (WHERE g.flags & 8 <> 0)
      INTO keys, v_good, v_flags, uids, batches, claims, parents FROM o JOIN gone AS g ON g.key = o.key;
    IF v_flags & (CASE WHEN p_tied THEN 64 ELSE 77 END) <> 0 THEN
        -- Became so since the call looked: it looks again.
        RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = 'a job got a follower while it was settled';
    END IF;
    IF coalesce(cardinality(v_good), 0) < cardinality(p_key) THEN
        SELECT string_agg(CASE WHEN g.i IS NULL THEN '\x01'::bytea ELSE '\x00' END, '' ORDER BY a.i) INTO answer
          FROM generate_series(1, cardinality(p_key)) AS a(i) LEFT JOIN unnest(v_good) AS g(i) ON g.i = a.i;
    END IF;
    IF keys IS NOT NULL THEN
        FOR v_token IN SELECT DISTINCT t FROM unnest(p_token) AS t LOOP
            PERFORM @.lease_leave(v_token, keys);
        END LOOP;
        PERFORM @.run_ended(keys, p_now);
        IF NOT p_keep AND NOT p_tied AND (v_flags & 528 <> 0 OR uids IS NOT NULL) THEN
            PERFORM @.trace_drop(keys, uids, NULL, NULL, false);
        END IF;
    END IF;
END
$$;

-- p_rest: the outcomes as a whole, where one of them is more than DONE.
CREATE OR REPLACE FUNCTION @.settle_each(p_rest @.outcome[], p_keep boolean, p_tell boolean, p_now bigint, OUT answer bytea,
                                          INOUT moves @.move[]) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    o @.outcome;
    r record;
BEGIN
    answer := '';
    FOREACH o IN ARRAY p_rest LOOP
        SELECT * INTO r FROM @.settle_one(o, p_keep, p_tell, p_now, moves);
        answer := answer || set_byte('\x00'::bytea, 0, r.settled);
        moves := r.moves;
    END LOOP;
END
$$;
