-- prune.sql: bounded deletion of what has ended, by age and by number.

-- The oldest p_max of a queue and state that are over p_age or more than p_keep (NULL: neither asked for).
CREATE OR REPLACE FUNCTION @.prunable(p_state int, p_queue text, p_ended bigint, p_excess bigint, p_max bigint)
RETURNS SETOF bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_state = 4 THEN
        RETURN QUERY SELECT key FROM (
            SELECT h.key, h.ended_at, row_number() OVER (ORDER BY h.ended_at, h.key) AS i FROM @.history AS h WHERE h.queue = p_queue
            ) AS h WHERE ended_at <= p_ended OR i <= p_excess ORDER BY i LIMIT p_max;
    ELSE
        RETURN QUERY SELECT key FROM (
            SELECT f.key, f.ended_at, row_number() OVER (ORDER BY f.ended_at, f.key) AS i
              FROM @.finished AS f WHERE f.state = p_state AND f.queue = p_queue
            ) AS f WHERE ended_at <= p_ended OR i <= p_excess ORDER BY i LIMIT p_max;
    END IF;
END $$;

-- Batches that ended long ago and have no member left; their edges were decided at their end.
CREATE OR REPLACE FUNCTION @.prune_batches(p_ended bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    gone constant bigint[] := ARRAY(
        SELECT b.key FROM @.batches AS b
         WHERE b.ended_at BETWEEN 1 AND p_ended AND NOT EXISTS(SELECT 1 FROM @.members AS m WHERE m.batch = b.key));
BEGIN
    IF gone <> '{}' THEN
        WITH cut AS (
            DELETE FROM @.edges WHERE is_batch AND parent = ANY(gone) RETURNING child, state
        )
        UPDATE @.jobs AS j SET waits = j.waits - c.n
          FROM (SELECT child, count(*) AS n FROM cut WHERE state <> 1 GROUP BY child) AS c
         WHERE j.key = c.child;
        DELETE FROM @.batches WHERE key = ANY(gone);
    END IF;
END $$;

-- Starts that matter to nobody, and what they were counted in.
CREATE OR REPLACE FUNCTION @.prune_starts(p_now bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM @.starts AS s USING @.buckets AS b WHERE b.id = s.bucket AND s.at_ms <= p_now - b.longest_ms;
    DELETE FROM @.buckets AS b
     WHERE NOT EXISTS(SELECT 1 FROM @.starts AS s WHERE s.bucket = b.id)
       AND NOT EXISTS(SELECT 1 FROM @.holds AS h WHERE h.bucket = b.id)
       AND NOT EXISTS(SELECT 1 FROM @.lines AS l WHERE l.bucket = b.id);
END $$;

-- p_age and p_keep by state, the first for state 0; negative: keep.
CREATE OR REPLACE FUNCTION @.prune(p_now bigint, p_age bigint[], p_keep bigint[], p_batch_age bigint, p_max bigint)
RETURNS bigint LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    now constant bigint := @.now_ms(p_now);
    n bigint := 0;
    c record;
    keys bigint[];
BEGIN
    PERFORM @.rules_lock();
    FOR state IN 4..6 LOOP
        CONTINUE WHEN p_age[state + 1] < 0 AND p_keep[state + 1] < 0;
        FOR c IN SELECT queue, sum(CASE state WHEN 4 THEN completed WHEN 5 THEN failed ELSE cancelled END)::bigint AS n
                   FROM @.counts GROUP BY queue ORDER BY queue
        LOOP
            EXIT WHEN n >= p_max;
            CONTINUE WHEN c.n = 0;
            keys := ARRAY(SELECT * FROM @.prunable(state, c.queue,
                CASE WHEN p_age[state + 1] >= 0 THEN now - p_age[state + 1] END,
                CASE WHEN p_keep[state + 1] >= 0 THEN c.n - p_keep[state + 1] END, p_max - n));
            IF keys <> '{}' THEN
                PERFORM @.job_drop(keys, false);
                n := n + cardinality(keys);
            END IF;
        END LOOP;
    END LOOP;
    IF p_batch_age >= 0 THEN
        PERFORM @.prune_batches(now - p_batch_age);
    END IF;
    PERFORM @.prune_starts(now);
    DELETE FROM @.stats WHERE minute_ms < now - 2592000000;
    PERFORM @.counts_fold(100000);
    RETURN n;
END $$;
