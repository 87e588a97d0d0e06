-- drop.sql: jobs that go for good.

-- What else is kept of jobs whose row is gone. p_deleted: by somebody, else by retention: then a claim stays with its id.
CREATE OR REPLACE FUNCTION @.trace_drop(p_keys bigint[], p_uids text[], p_batches bigint[], p_claims bytea[], p_deleted boolean)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    DELETE FROM @.attempts WHERE key = ANY (p_keys);
    IF cardinality(p_uids) > 0 THEN
        DELETE FROM @.uids WHERE uid = ANY (p_uids);
    END IF;
    IF cardinality(p_batches) > 0 THEN
        DELETE FROM @.members WHERE batch = ANY (p_batches) AND key = ANY (p_keys);
    END IF;
    -- A child that still waits for it waits for one less. The update reads all keys of jobs when it has nothing to do, so it is
    -- asked for only where somebody waits.
    IF EXISTS(SELECT 1 FROM @.edges WHERE parent = ANY (p_keys) AND NOT is_batch) THEN
        UPDATE @.jobs AS j SET waits = j.waits - e.n
          FROM (SELECT child, count(*) AS n FROM @.edges WHERE parent = ANY (p_keys) AND NOT is_batch AND state <> 1 GROUP BY child) AS e
         WHERE j.key = e.child;
        DELETE FROM @.edges WHERE parent = ANY (p_keys) AND NOT is_batch;
    END IF;
    DELETE FROM @.edges WHERE child = ANY (p_keys);
    IF coalesce(cardinality(p_claims), 0) = 0 THEN
        RETURN;
    ELSIF p_deleted THEN
        DELETE FROM @.claims WHERE key = ANY (p_claims) AND job = ANY (p_keys);
    ELSE
        UPDATE @.claims SET job = NULL WHERE key = ANY (p_claims) AND job = ANY (p_keys);
    END IF;
END
$$;

-- Jobs that have ended, out of everything. Answers how many.
CREATE OR REPLACE FUNCTION @.job_drop(p_keys bigint[], p_deleted boolean DEFAULT false) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_n bigint;
    v_uids text[];
    v_batches bigint[];
    v_claims bytea[];
    j @.jobs;
BEGIN
    FOR j IN SELECT * FROM @.jobs WHERE key = ANY (p_keys) AND flags & 384 <> 0 FOR UPDATE LOOP
        PERFORM @.hook_clear(j);
    END LOOP;
    DELETE FROM @.finished
     USING @.jobs AS g
     WHERE g.key = ANY (p_keys) AND finished.state = g.state AND finished.queue = g.queue AND finished.ended_at = g.ended_at
       AND finished.key = g.key;
    WITH gone AS (
        DELETE FROM @.jobs WHERE key = ANY (p_keys) AND state >= 5 RETURNING key, queue, state::int, uid, batch, asks),
         old AS (DELETE FROM @.history WHERE key = ANY (p_keys) RETURNING key, queue, 4 AS state, uid, batch, asks),
         both_of AS (SELECT * FROM gone UNION ALL SELECT * FROM old),
         counted AS (
            INSERT INTO @.counts(queue, completed, failed, cancelled)
            SELECT queue, -count(*) FILTER (WHERE state = 4), -count(*) FILTER (WHERE state = 5), -count(*) FILTER (WHERE state = 6)
              FROM both_of GROUP BY queue)
    SELECT count(*), array_agg(uid) FILTER (WHERE uid IS NOT NULL), array_agg(DISTINCT batch) FILTER (WHERE batch IS NOT NULL),
           array_agg(@.key_of(asks)) FILTER (WHERE asks ? 'u')
      INTO v_n, v_uids, v_batches, v_claims FROM both_of;
    PERFORM @.trace_drop(p_keys, v_uids, v_batches, v_claims, p_deleted);
    RETURN v_n;
END
$$;

-- It lives in another store now: gone with all that is beside it, and nothing follows. j NULL: it has completed. The batch
-- goes with the last of its jobs.
CREATE OR REPLACE FUNCTION @.job_take_out(p_key bigint, j @.jobs, p_now bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_batch bigint := coalesce(j.batch, (SELECT batch FROM @.history WHERE key = p_key));
BEGIN
    IF j.state <= 2 THEN
        PERFORM @.line_leave(j, p_now);
        DELETE FROM @.jobs WHERE key = p_key;
        PERFORM @.count_move(j.queue, j.state, NULL, 1);
        PERFORM @.trace_drop(ARRAY[p_key], array_remove(ARRAY[j.uid], NULL), array_remove(ARRAY[j.batch], NULL),
                             array_remove(ARRAY[@.key_of(j.asks)], NULL), true);
    ELSE
        PERFORM @.job_drop(ARRAY[p_key], true);
    END IF;
    IF v_batch IS NOT NULL AND NOT EXISTS(SELECT 1 FROM @.members WHERE batch = v_batch) THEN
        UPDATE @.jobs AS c SET waits = c.waits - e.n
          FROM (SELECT child, count(*) AS n FROM @.edges WHERE parent = v_batch AND is_batch AND state <> 1 GROUP BY child) AS e
         WHERE c.key = e.child;
        DELETE FROM @.edges WHERE parent = v_batch AND is_batch;
        DELETE FROM @.batches WHERE key = v_batch;
    END IF;
END
$$;
