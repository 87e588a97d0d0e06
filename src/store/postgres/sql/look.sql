-- look.sql: one job with its history, and pages of jobs.

-- Those of p_keys that are there, in that order. RUNNING is READY as stored, and named by a lease.
CREATE OR REPLACE FUNCTION @.job_rows(p_keys bigint[], p_with_data boolean)
RETURNS TABLE(key bigint, id text, name text, queue text, worker text, state smallint, priority int, attempts int, tries int,
              run_at bigint, created_at bigint, started_at bigint, ended_at bigint, cancel boolean, waits int, percent int,
              note bytea, error bytea, tags text, batch text, data bytea, options bytea, result bytea)
LANGUAGE sql STABLE AS $$
    WITH asked AS (
        SELECT * FROM unnest(p_keys) WITH ORDINALITY AS a(key, i)
    ), running AS MATERIALIZED (
        SELECT r.key, l.token, l.worker, l.started_at FROM @.leases AS l, unnest(l.keys) AS r(key) WHERE r.key = ANY(p_keys)
    ), rows AS (
        SELECT a.i, j.key, j.created_at, j.uid, j.name, j.queue, coalesce(r.worker, j.worker, '') AS worker,
               CASE WHEN r.key IS NOT NULL THEN 3::smallint ELSE j.state END AS state, j.priority,
               j.attempt + (r.key IS NOT NULL)::int AS attempts, j.tries, j.run_at,
               CASE WHEN r.key IS NOT NULL THEN r.started_at WHEN j.attempt > 0 THEN coalesce(j.started_at, 0) ELSE 0 END AS started_at,
               coalesce(j.ended_at, 0) AS ended_at, j.flags & 64 <> 0 AS cancel, j.waits, coalesce(p.percent, -1) AS percent,
               p.note, j.error, j.tags, j.batch, j.data, j.options, NULL::bytea AS result
          FROM asked AS a JOIN @.jobs AS j ON j.key = a.key
          LEFT JOIN running AS r ON r.key = j.key
          LEFT JOIN @.progress AS p ON p.key = j.key AND p.token = r.token
        UNION ALL
        SELECT a.i, h.key, h.created_at, h.uid, h.name, h.queue, h.worker, 4::smallint, h.priority, h.attempt, h.tries, h.run_at,
               CASE WHEN h.attempt > 0 THEN h.started_at ELSE 0 END, h.ended_at, false, 0, -1, NULL, NULL, h.tags, h.batch,
               h.data, h.options, h.result
          FROM asked AS a JOIN @.history AS h ON h.key = a.key
    )
    SELECT r.key, coalesce(r.uid, @.id_of(r.created_at, r.key, o.salt)), r.name, r.queue, r.worker, r.state, r.priority, r.attempts, r.tries,
           r.run_at, r.created_at, r.started_at, r.ended_at, r.cancel, r.waits, r.percent, r.note, r.error,
           array_to_string(r.tags, ','), b.uid,
           CASE WHEN p_with_data THEN r.data END, CASE WHEN p_with_data THEN r.options END, CASE WHEN p_with_data THEN r.result END
      FROM rows AS r CROSS JOIN @.root AS o LEFT JOIN @.batches AS b ON b.key = r.batch
     ORDER BY r.i
$$;

-- One row with key NULL: there is no job to go on behind.
CREATE OR REPLACE FUNCTION @.list(p_states bigint, p_queue text, p_name text, p_tag text, p_batch text, p_search text,
                                  p_since bigint, p_until bigint, p_after text, p_newest boolean, p_max bigint,
                                  p_with_data boolean)
RETURNS TABLE(key bigint, id text, name text, queue text, worker text, state smallint, priority int, attempts int, tries int,
              run_at bigint, created_at bigint, started_at bigint, ended_at bigint, cancel boolean, waits int, percent int,
              note bytea, error bytea, tags text, batch text, data bytea, options bytea, result bytea)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    after constant bigint := CASE WHEN p_after <> '' THEN @.id_find(p_after) END;
BEGIN
    IF p_after <> '' AND after IS NULL THEN
        RETURN NEXT;
        RETURN;
    END IF;
    RETURN QUERY SELECT * FROM @.job_rows(ARRAY(
        SELECT * FROM @.found(p_states, p_queue, p_name, p_tag, p_batch, p_search, p_since, p_until, after, p_newest, p_max)),
        p_with_data);
END $$;

-- What was tried of it, oldest first, the last 100; that which completed it stands in the job's own row.
CREATE OR REPLACE FUNCTION @.attempts_of(p_key bigint)
RETURNS TABLE(n int, started_at bigint, ended_at bigint, worker text, outcome smallint, cause smallint, exit_code int,
              signal int, max_rss_kib bigint, cpu_ms bigint, error bytea, log bytea)
LANGUAGE sql STABLE AS $$
    SELECT n, started_at, ended_at, worker, outcome, cause, exit_code, signal, max_rss_kib, cpu_ms, error, log
      FROM (SELECT * FROM (
                SELECT seq, n, started_at, ended_at, worker, outcome, cause, exit_code, signal, max_rss_kib, cpu_ms, error, log
                  FROM @.attempts WHERE key = p_key
                UNION ALL
                SELECT 9223372036854775807, attempt, started_at, finished_at, worker, 0::smallint, coalesce(cause, 0::smallint),
                       coalesce(exit_code, 0), coalesce(signal, 0), coalesce(max_rss_kib, 0), coalesce(cpu_ms, 0), error, log
                  FROM @.history WHERE key = p_key) AS tried
             ORDER BY seq DESC LIMIT 100) AS last
     ORDER BY seq
$$;

-- What it waits for (p_up), or who waits for it, in the order of the push.
CREATE OR REPLACE FUNCTION @.edges_of(p_key bigint, p_up boolean)
RETURNS TABLE(id text, is_batch boolean, is_satisfied boolean, on_end smallint, state smallint, name text, result bytea, is_cause boolean)
LANGUAGE sql STABLE AS $$
    WITH ends AS MATERIALIZED (
        SELECT e.id, e.child AS other, false AS is_batch, e.state, e.on_end, false AS is_cause
          FROM @.edges AS e WHERE NOT p_up AND e.parent = p_key AND NOT e.is_batch
        UNION ALL
        SELECT e.id, e.parent, e.is_batch, e.state, e.on_end, e.is_cause
          FROM @.edges AS e WHERE p_up AND e.child = p_key
    )
    SELECT coalesce(j.id, b.uid), e.is_batch, e.state = 1, e.on_end,
           CASE WHEN NOT e.is_batch THEN j.state WHEN b.ended_at = 0 THEN 3 WHEN b.failed + b.cancelled > 0 THEN 5 ELSE 4 END::smallint,
           coalesce(j.name, ''), CASE WHEN p_up THEN j.result END, e.is_cause
      FROM ends AS e
      LEFT JOIN @.job_rows(ARRAY(SELECT DISTINCT other FROM ends WHERE NOT is_batch), true) AS j ON NOT e.is_batch AND j.key = e.other
      LEFT JOIN @.batches AS b ON e.is_batch AND b.key = e.other
     ORDER BY e.id
$$;

-- How many of the jobs are read at once: those before the sum of their bytes is more than p_max_bytes (0: all).
CREATE OR REPLACE FUNCTION @.details_n(p_keys bigint[], p_max_bytes bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_max_bytes = 0 THEN cardinality(p_keys) ELSE 1 + count(*) FILTER (WHERE sum <= p_max_bytes AND i < n) END
      FROM (SELECT a.i, cardinality(p_keys) AS n, sum(
                coalesce((SELECT coalesce(octet_length(data), 0) + coalesce(octet_length(options), 0) + coalesce(octet_length(error), 0)
                            FROM @.jobs WHERE key = a.key), 0)
                + coalesce((SELECT coalesce(octet_length(data), 0) + coalesce(octet_length(options), 0) + coalesce(octet_length(result), 0)
                                   + coalesce(octet_length(log), 0) FROM @.history WHERE key = a.key), 0)
                + coalesce((SELECT sum(coalesce(octet_length(error), 0) + coalesce(octet_length(log), 0))
                              FROM @.attempts WHERE key = a.key), 0)) OVER (ORDER BY a.i) AS sum
              FROM unnest(p_keys) WITH ORDINALITY AS a(key, i)) AS sums
$$;

-- Everything about jobs, as many of p_ids as @.details_n says, each with the number i of its id: first a row that says how
-- many (part -1, i), then the jobs (part 0), their attempts (1), what they wait for (2), who waits for them (3), what they ask
-- (4) and their limits (5), each in order. They stand in the columns of a job so.
--   an attempt: n attempts, outcome state, cause priority, exit_code tries, signal waits, max_rss_kib key, cpu_ms run_at, log data
--   an edge: is_batch cancel, on_end priority, is_satisfied waits, has_cancelled percent
--   asks: has_failed_hook cancel, is_hook_due percent; of its unique key, if any: until waits, ttl run_at, key data, held until
--   created_at
--   a limit: name, key data, kind priority, n key, per_ms run_at
-- In a job, asks->'u' is [until, ttl, hex of the key], asks->'l' holds [kind, n, per, name, hex of the key] each.
CREATE OR REPLACE FUNCTION @.details(p_now bigint, p_ids text[], p_max_bytes bigint)
RETURNS TABLE(i int, part int, key bigint, id text, name text, queue text, worker text, state smallint, priority int, attempts int,
              tries int, run_at bigint, created_at bigint, started_at bigint, ended_at bigint, cancel boolean, waits int,
              percent int, note bytea, error bytea, tags text, batch text, data bytea, options bytea, result bytea)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    now constant bigint := @.now_ms(p_now);
    k bigint[] := ARRAY(SELECT @.id_find(u.id) FROM unnest(p_ids) WITH ORDINALITY AS u(id, i) ORDER BY u.i);
    v_some bigint[];
BEGIN
    i := @.details_n(k, p_max_bytes);
    k := k[1:i];
    part := -1;
    RETURN NEXT;

    RETURN QUERY SELECT array_position(k, j.key), 0, j.* FROM @.job_rows(k, true) AS j;

    v_some := ARRAY(SELECT j.key FROM @.jobs AS j WHERE j.key = ANY (k) AND j.flags & 512 <> 0
                    UNION ALL SELECT h.key FROM @.history AS h WHERE h.key = ANY (k));
    RETURN QUERY SELECT array_position(k, s.key), 1, t.max_rss_kib, NULL, NULL, NULL, t.worker, t.outcome, t.cause::int, t.n,
                        t.exit_code, t.cpu_ms, NULL::bigint, t.started_at, t.ended_at, NULL::boolean, t.signal, NULL::int, NULL::bytea,
                        t.error, NULL, NULL, t.log, NULL::bytea, NULL::bytea
                   FROM unnest(v_some) AS s(key)
                  CROSS JOIN LATERAL @.attempts_of(s.key) WITH ORDINALITY
                        AS t(n, started_at, ended_at, worker, outcome, cause, exit_code, signal, max_rss_kib, cpu_ms, error, log, o)
                  ORDER BY s.key, t.o;

    FOR p IN 2..3 LOOP
        v_some := CASE p WHEN 2 THEN ARRAY(SELECT DISTINCT e.child FROM @.edges AS e WHERE e.child = ANY (k))
                         ELSE ARRAY(SELECT DISTINCT e.parent FROM @.edges AS e WHERE e.parent = ANY (k) AND NOT e.is_batch) END;
        RETURN QUERY SELECT array_position(k, s.key), p, NULL::bigint, e.id, e.name, NULL, NULL, e.state, e.on_end::int, NULL::int,
                            NULL::int, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, e.is_batch, e.is_satisfied::int,
                            e.is_cause::int, NULL::bytea, NULL::bytea, NULL, NULL, NULL::bytea, NULL::bytea, e.result
                       FROM unnest(v_some) AS s(key)
                      CROSS JOIN LATERAL @.edges_of(s.key, p = 2) WITH ORDINALITY
                            AS e(id, is_batch, is_satisfied, on_end, state, name, result, is_cause, o)
                      ORDER BY s.key, e.o;
    END LOOP;

    RETURN QUERY WITH asking AS (
        SELECT j.key, j.flags, j.asks FROM @.jobs AS j WHERE j.key = ANY (k) AND (j.asks IS NOT NULL OR j.flags & 160 <> 0)
        UNION ALL SELECT h.key, h.flags, h.asks FROM @.history AS h WHERE h.key = ANY (k) AND (h.asks IS NOT NULL OR h.flags & 160 <> 0))
        SELECT array_position(k, a.key), 4, NULL::bigint, NULL, NULL, NULL, NULL, NULL::smallint, NULL::int, NULL::int, NULL::int,
               (a.asks->'u'->>1)::bigint,
               (SELECT c.until_ms FROM @.claims AS c WHERE c.key = decode(a.asks->'u'->>2, 'hex') AND c.job = a.key AND c.until_ms > now),
               NULL::bigint, NULL::bigint, a.flags & 32 <> 0, (a.asks->'u'->>0)::int, (a.flags & 128 <> 0)::int, NULL::bytea,
               NULL::bytea, NULL, NULL, decode(a.asks->'u'->>2, 'hex'), NULL::bytea, NULL::bytea
          FROM asking AS a
        UNION ALL
        SELECT array_position(k, a.key), 5, (u.l->>1)::bigint, NULL, u.l->>3, NULL, NULL, NULL::smallint, (u.l->>0)::int, NULL::int,
               NULL::int, (u.l->>2)::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::boolean, NULL::int, NULL::int, NULL::bytea,
               NULL::bytea, NULL, NULL, decode(u.l->>4, 'hex'), NULL::bytea, NULL::bytea
          FROM asking AS a CROSS JOIN LATERAL jsonb_array_elements(a.asks->'l') AS u(l)
         WHERE a.asks ? 'l';
END $$;
