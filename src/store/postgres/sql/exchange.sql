-- exchange.sql: settle and reserve in one call, which is the hot path.

-- The answer is rows of three kinds: what 0 is the first and only one: data has a byte an outcome (enum errand_settled), token
-- the new lease, run_at its end, failed_at when to look again, key the control number, flags the hints, created_at the salt. 1 is a job, 2 a hook,
-- both in order. 3 is a move: priority from, tries to.
CREATE OR REPLACE FUNCTION @.exchange(
    p_now bigint, p_token bigint[], p_key bigint[], p_id text[], p_kind bigint[], p_run_at bigint[], p_started bigint[], p_ended bigint[],
    p_cause bigint[], p_exit bigint[], p_signal bigint[], p_rss bigint[], p_cpu bigint[], p_flags bigint[], p_error bytea[],
    p_log bytea[], p_result bytea[], p_asks jsonb[], p_keep boolean, p_queues text[], p_max bigint, p_lease_ms bigint,
    p_worker text)
RETURNS SETOF @.answer LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    v_now bigint := CASE WHEN p_now = 0 THEN @.clock_ms() ELSE p_now END;
    v_root @.root;
    v_tell boolean;
    v_limited boolean := false;
    v_each boolean := p_kind IS NOT NULL;
    v_tied boolean := false;
    v_key bigint[] := p_key;
    v_wakes int := 0;
    v_moves @.move[] := '{}';
    v_settled bytea;
    v_queues text[] := p_queues;
    v_open text[];
    v_strict boolean := p_queues IS NOT NULL;
    v_next bigint;
    v_hooks bigint[] := '{}';
    v_keys bigint[];
    v_token bigint;
    v_until bigint;
    r record;
BEGIN
    SELECT * INTO v_root FROM @.root;
    v_tell := v_root.follow_until > v_now;
    v_limited := @.has_limits();
    IF p_key IS NOT NULL THEN
        IF p_id IS NOT NULL THEN
            v_key := array(SELECT CASE WHEN u.key <> 0 THEN u.key ELSE coalesce(@.id_find(u.id), 0) END
                             FROM unnest(p_key, p_id) WITH ORDINALITY AS u(key, id, i) ORDER BY u.i);
        END IF;
        SELECT v_each OR coalesce(bit_or(j.flags) & 64 <> 0, false) OR EXISTS(SELECT 1 FROM @.completions),
               coalesce(bit_or(j.flags) & 13 <> 0, false)
          INTO v_each, v_tied FROM @.jobs AS j WHERE j.key = ANY (v_key);
    END IF;
    IF v_each OR v_tied OR v_limited OR (p_max > 0 AND EXISTS(SELECT 1 FROM @.hooks)) THEN
        PERFORM @.rules_lock();
    END IF;
    v_each := v_each OR (v_tied AND NOT @.is_set_enough(v_key));

    IF v_each THEN
        PERFORM 1 FROM @.leases WHERE token = ANY (p_token) ORDER BY token FOR UPDATE;
        PERFORM 1 FROM @.jobs WHERE key = ANY (v_key) ORDER BY key FOR UPDATE;
        SELECT * INTO r FROM @.settle_each(array(
            SELECT (u.token, u.key, coalesce(u.kind, 0), coalesce(u.run_at, 0), coalesce(u.started, 0), coalesce(u.ended, 0),
                    coalesce(u.cause, 0), coalesce(u.exit_code, 0), coalesce(u.signal, 0), coalesce(u.rss, 0), coalesce(u.cpu, 0),
                    coalesce(u.flags, 0), u.error, u.log, u.result, u.asks)::@.outcome
              FROM unnest(p_token, v_key, p_kind, p_run_at, p_started, p_ended, p_cause, p_exit, p_signal, p_rss, p_cpu, p_flags,
                          p_error, p_log, p_result, p_asks) WITH ORDINALITY
                   AS u(token, key, kind, run_at, started, ended, cause, exit_code, signal, rss, cpu, flags, error, log, result, asks, i)
             ORDER BY u.i), p_keep, v_tell, v_now, v_moves);
        v_settled := r.answer;
        v_moves := r.moves;
        v_wakes := 3;
    ELSIF p_key IS NOT NULL THEN
        SELECT * INTO r FROM @.settle_done(p_token, v_key, p_started, p_ended, p_rss, p_cpu, p_flags, p_log, p_result, p_keep, v_tell,
                                           v_tied, v_now);
        v_settled := r.answer;
        v_wakes := CASE WHEN v_limited OR v_tied THEN 3 ELSE 2 END;
        IF v_tied AND r.keys IS NOT NULL THEN
            v_moves := @.settled_ties(r.keys, r.batches, r.uids, r.claims, r.parents, p_keep, v_tell, v_now);
        END IF;
    END IF;

    IF p_max > 0 THEN
        IF v_queues IS NULL THEN
            v_queues := @.lined_queues();
        END IF;
        FOR i IN 1 .. cardinality(v_queues) LOOP
            IF @.due(v_queues[i], v_now) >= 1000 THEN
                v_next := v_now;
            END IF;
        END LOOP;
        SELECT array(SELECT u.q FROM unnest(v_queues) WITH ORDINALITY AS u(q, i) LEFT JOIN @.queues AS p ON p.queue = u.q
                      WHERE coalesce(p.paused_until, 0) <= v_now ORDER BY u.i) INTO v_open;
        IF v_limited THEN
            PERFORM @.lines_due(v_now);
        END IF;
        IF EXISTS(SELECT 1 FROM @.hooks WHERE queue = ANY (v_open)) THEN
            PERFORM @.rules_lock();
            v_hooks := @.pick_hooks(v_open, v_strict, p_max);
        END IF;
        SELECT * INTO r FROM @.pick(v_open, v_strict, p_max - cardinality(v_hooks),
                                    v_limited AND EXISTS(SELECT 1 FROM @.limits WHERE scope < 2), v_now);
        v_keys := r.keys;
        IF r.is_left THEN
            v_wakes := v_wakes | 1;
        END IF;
        IF cardinality(v_keys) + cardinality(v_hooks) > 0 THEN
            v_until := @.lease_now(p_now) + p_lease_ms;
            INSERT INTO @.leases(token, until_ms, started_at, worker, keys, hooks)
                VALUES(nextval('@.tokens'), v_until, v_now, p_worker, v_keys, v_hooks) RETURNING token INTO v_token;
            IF v_token % 64 = 0 THEN
                PERFORM @.counts_fold(1000);
            END IF;
            IF v_keys <> '{}' THEN
                PERFORM @.marks_move(v_open, v_keys, v_token, cardinality(v_keys) + cardinality(v_hooks) >= p_max, v_now);
            END IF;
        END IF;
        IF cardinality(v_keys) + cardinality(v_hooks) >= p_max THEN
            v_next := v_now;
        ELSIF v_next IS NULL THEN
            SELECT least((SELECT min((SELECT run_at FROM @.scheduled WHERE queue = q ORDER BY queue, run_at LIMIT 1))
                            FROM unnest(v_open) AS q),
                         (SELECT min(paused_until) FROM @.queues WHERE (NOT v_strict OR queue = ANY (v_queues)) AND paused_until > v_now
                             AND paused_until < 9223372036854775807),
                         CASE WHEN v_limited OR EXISTS(SELECT 1 FROM @.lines) THEN
                              (SELECT min(wake_at) FROM @.lines AS w
                                WHERE wake_at IS NOT NULL AND EXISTS(SELECT 1 FROM @.parked WHERE line = w.id AND queue = ANY (v_open))) END)
              INTO v_next;
        END IF;
    END IF;
    IF v_wakes <> 0 THEN
        PERFORM @.wake(v_wakes | v_tell::int * 8, true);
    END IF;

    RETURN NEXT (0, v_token, v_root.control, v_root.salt, NULL, NULL, NULL, v_settled, NULL, NULL, v_next, 0, 0, 0, v_now + p_lease_ms, NULL,
                 v_tell::int)::@.answer;
    IF v_hooks <> '{}' THEN
        RETURN QUERY SELECT 2, v_token, j.key, j.created_at, j.uid, j.name, j.queue, j.data, j.options, j.error, j.ended_at,
                            j.attempt, j.tries, j.priority, j.run_at, (SELECT b.uid FROM @.batches AS b WHERE b.key = j.batch), j.flags::int
                       FROM unnest(v_hooks) WITH ORDINALITY AS u(k, i) JOIN @.jobs AS j ON j.key = u.k ORDER BY u.i;
    END IF;
    IF v_keys <> '{}' THEN
        RETURN QUERY SELECT 1, v_token, j.key, j.created_at, j.uid, j.name, j.queue, j.data, j.options, NULL::bytea, 0::bigint,
                            j.attempt + 1, j.tries, j.priority, j.run_at,
                            CASE WHEN j.batch IS NOT NULL THEN (SELECT b.uid FROM @.batches AS b WHERE b.key = j.batch) END, j.flags::int
                       FROM unnest(v_keys) WITH ORDINALITY AS u(k, i) JOIN @.jobs AS j ON j.key = u.k ORDER BY u.i;
    END IF;
    IF v_moves <> '{}' THEN
        RETURN QUERY SELECT 3, 0::bigint, m.key, m.created_at, m.uid, m.name, m.queue, NULL::bytea, NULL::bytea, NULL::bytea, 0::bigint,
                            m.attempt, m.to_state, m.from_state, 0::bigint, NULL::text, 0
                       FROM unnest(v_moves) WITH ORDINALITY AS m(key, created_at, uid, name, queue, from_state, to_state, attempt, i)
                      ORDER BY m.i;
    END IF;
END
$$;
