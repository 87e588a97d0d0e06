-- reserve.sql: handing out work: hooks that are due, then READY jobs in the order of the contract, past the paused queues and
-- past the jobs that a limit holds back.

-- SCHEDULED turns READY. Rows that somebody changes just now are left: he says what becomes of them.
CREATE OR REPLACE FUNCTION @.due(p_queue text, p_now bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_n bigint;
    v_first bigint;
BEGIN
    IF NOT EXISTS(SELECT 1 FROM @.scheduled WHERE queue = p_queue AND run_at <= p_now) THEN
        RETURN 0;
    END IF;
    WITH due AS MATERIALIZED (
            SELECT s.key, s.run_at, s.priority, j.flags
              FROM @.scheduled AS s JOIN @.jobs AS j ON j.key = s.key
             WHERE s.queue = p_queue AND s.run_at <= p_now ORDER BY s.queue, s.run_at, s.key LIMIT 1000
               FOR UPDATE SKIP LOCKED),
         gone AS (
            DELETE FROM @.scheduled AS s USING due AS d
             WHERE s.queue = p_queue AND s.run_at = d.run_at AND s.key = d.key),
         moved AS (UPDATE @.jobs SET state = 2 WHERE key = ANY (ARRAY(SELECT key FROM due))),
         entered AS (
            INSERT INTO @.ready(queue, priority, run_at, key, flags) SELECT p_queue, priority, run_at, key, flags FROM due),
         counted AS (
            INSERT INTO @.counts(queue, scheduled, ready) SELECT p_queue, -count(*), count(*) FROM due HAVING count(*) > 0)
    SELECT count(*), min(run_at) INTO v_n, v_first FROM due;
    PERFORM @.marks_lower_all(ARRAY[p_queue], v_first);
    RETURN v_n;
END
$$;

-- Queues that have work or will have, in order; each is found by one step in an index.
CREATE OR REPLACE FUNCTION @.lined_queues() RETURNS text[] LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (WITH RECURSIVE s(q) AS (
            (SELECT queue FROM @.scheduled ORDER BY queue LIMIT 1)
            UNION ALL SELECT (SELECT queue FROM @.scheduled WHERE queue > q ORDER BY queue LIMIT 1) FROM s WHERE q IS NOT NULL),
        h(q) AS (
            (SELECT queue FROM @.hooks ORDER BY queue LIMIT 1)
            UNION ALL SELECT (SELECT queue FROM @.hooks WHERE queue > q ORDER BY queue LIMIT 1) FROM h WHERE q IS NOT NULL)
    SELECT array(SELECT unnest(@.marked_queues()) UNION SELECT q FROM s WHERE q IS NOT NULL
                 UNION SELECT q FROM h WHERE q IS NOT NULL UNION SELECT queue FROM @.parked ORDER BY 1));
END
$$;

-- The first p_max of one queue, out of ready. Rows another worker is taking are passed over.
CREATE OR REPLACE FUNCTION @.take(p_queue text, p_max bigint, p_now bigint) RETURNS @.ready[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_places tid[] := @.first_places(p_queue, p_max, p_now);
    v_taken @.ready[];
BEGIN
    WITH gone AS (DELETE FROM @.ready WHERE ctid = ANY (v_places) RETURNING *)
    SELECT array_agg(gone::@.ready ORDER BY priority, run_at, key) INTO v_taken FROM gone;
    RETURN v_taken;
END
$$;

-- The first p_max of several queues as one line. From each queue p_max are looked at; what is not taken stays locked until
-- the end of the transaction, and whoever passes over it meanwhile is woken (p_left).
CREATE OR REPLACE FUNCTION @.take_merged(p_queues text[], p_max bigint, p_now bigint, OUT taken @.ready[], OUT is_left boolean)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_ctids tid[] := '{}';
    v_queue text;
    v_first tid[];
BEGIN
    FOREACH v_queue IN ARRAY p_queues LOOP
        v_ctids := v_ctids || @.first_places(v_queue, p_max, p_now);
    END LOOP;
    SELECT array_agg(r.ctid ORDER BY r.priority, r.run_at, r.key) INTO v_ctids FROM @.ready AS r WHERE r.ctid = ANY (v_ctids);
    v_first := v_ctids[1:p_max];
    is_left := coalesce(cardinality(v_ctids), 0) > p_max;
    WITH gone AS (DELETE FROM @.ready WHERE ctid = ANY (v_first) RETURNING *)
    SELECT array_agg(gone::@.ready ORDER BY priority, run_at, key) INTO taken FROM gone;
END
$$;

-- Jobs to start, in order; those at a limit are parked, and others looked for.
CREATE OR REPLACE FUNCTION @.pick(p_queues text[], p_strict boolean, p_max bigint, p_limited boolean, p_now bigint,
                                   OUT keys bigint[], OUT is_left boolean) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_taken @.ready[];
    v_row @.ready;
    v_buckets bigint[] := '{}';
    v_unique bigint[];
    v_counts text[] := '{}';
    v_flags int;
    v_i int := 1;
    r record;
BEGIN
    keys := '{}';
    is_left := false;
    WHILE cardinality(keys) < p_max AND cardinality(p_queues) >= v_i LOOP
        IF p_strict OR cardinality(p_queues) = 1 THEN
            v_taken := @.take(p_queues[v_i], p_max - cardinality(keys), p_now);
        ELSE
            SELECT * INTO r FROM @.take_merged(p_queues, p_max - cardinality(keys), p_now);
            v_taken := r.taken;
            is_left := is_left OR r.is_left;
        END IF;
        IF v_taken IS NULL THEN
            EXIT WHEN NOT p_strict;
            v_i := v_i + 1;
            CONTINUE;
        END IF;
        SELECT bit_or(t.flags) INTO v_flags FROM unnest(v_taken) AS t;
        IF p_limited OR v_flags & 2 <> 0 THEN
            PERFORM @.rules_lock();
            FOR i IN 1 .. cardinality(v_taken) LOOP
                v_row := v_taken[i];
                SELECT * INTO r FROM @.limits_start(v_row.key, v_row.priority, v_row.run_at, v_row.flags, p_now, v_buckets);
                v_buckets := r.buckets;
                IF r.may_start THEN
                    keys := keys || v_row.key;
                    v_counts := v_counts || v_row.queue;
                END IF;
                IF v_buckets <> '{}' THEN
                    r.offered := r.offered + @.lines_started(v_buckets, p_now);
                    v_buckets := '{}';
                END IF;
                IF r.offered > 0 THEN
                    -- Those may come before the rest.
                    INSERT INTO @.ready SELECT * FROM unnest(v_taken[i + 1:]);
                    EXIT;
                END IF;
            END LOOP;
            IF p_strict AND r.offered > 0 THEN
                v_i := 1;
            END IF;
        ELSE
            keys := keys || array(SELECT t.key FROM unnest(v_taken) WITH ORDINALITY AS t ORDER BY t.ordinality);
            v_counts := v_counts || array(SELECT t.queue FROM unnest(v_taken) AS t);
        END IF;
        IF v_flags & 1 <> 0 THEN
            v_unique := keys;
        END IF;
    END LOOP;
    IF v_unique IS NOT NULL THEN
        PERFORM @.claims_release(keys, true);
    END IF;
    INSERT INTO @.counts(queue, ready, running) SELECT q, -count(*), count(*) FROM unnest(v_counts) AS q GROUP BY q;
END
$$;

-- Hooks that are due, by the time of failure; in strict order queue by queue.
CREATE OR REPLACE FUNCTION @.pick_hooks(p_queues text[], p_strict boolean, p_max bigint) RETURNS bigint[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_keys bigint[];
BEGIN
    v_keys := array(
        SELECT h.key FROM unnest(p_queues) WITH ORDINALITY AS q(queue, i) JOIN @.hooks AS h ON h.queue = q.queue
         ORDER BY CASE WHEN p_strict THEN q.i END, h.ended_at, h.key LIMIT p_max);
    -- Jobs first, as whoever changes one; the rules lock keeps others from handing out the same.
    PERFORM 1 FROM @.jobs WHERE key = ANY (v_keys) ORDER BY key FOR UPDATE;
    DELETE FROM @.hooks AS h USING @.jobs AS j
     WHERE j.key = ANY (v_keys) AND h.queue = j.queue AND h.ended_at = j.ended_at AND h.key = j.key;
    UPDATE @.jobs SET flags = flags & ~128 | 256 WHERE key = ANY (v_keys);
    RETURN v_keys;
END
$$;
