-- stats.sql: how many attempts ended how and how long they took, per minute, queue and job name.

CREATE OR REPLACE FUNCTION @.hist_sum(p_a bigint[], p_b bigint[]) RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(a + b ORDER BY i) FROM unnest(p_a, p_b) WITH ORDINALITY AS h(a, b, i)
$$;

-- The histograms of all rows stand behind each other, 24 numbers each. In the order of the key, so that two who add
-- at once wait for each other and do not block each other.
CREATE OR REPLACE FUNCTION @.stats_add(p_minute bigint[], p_queue text[], p_name text[], p_done bigint[], p_failed bigint[],
                              p_retried bigint[], p_run bigint[], p_wait bigint[], p_run_hist bigint[], p_wait_hist bigint[])
RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    s record;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    FOR s IN SELECT minute - minute % 60000 AS minute, queue, name, done, failed, retried, run, wait, i::int AS i
               FROM unnest(p_minute, p_queue, p_name, p_done, p_failed, p_retried, p_run, p_wait)
                    WITH ORDINALITY AS x(minute, queue, name, done, failed, retried, run, wait, i)
              ORDER BY 1, queue COLLATE "C", name COLLATE "C", i
    LOOP
        INSERT INTO @.stats AS t(minute_ms, queue, name, done, failed, retried, run_ms, wait_ms, run_hist, wait_hist)
        VALUES(s.minute, s.queue, s.name, s.done, s.failed, s.retried, s.run, s.wait,
               p_run_hist[s.i * 24 - 23:s.i * 24], p_wait_hist[s.i * 24 - 23:s.i * 24])
            ON CONFLICT(minute_ms, queue, name) DO UPDATE
           SET done = t.done + excluded.done, failed = t.failed + excluded.failed, retried = t.retried + excluded.retried,
               run_ms = t.run_ms + excluded.run_ms, wait_ms = t.wait_ms + excluded.wait_ms,
               run_hist = @.hist_sum(t.run_hist, excluded.run_hist), wait_hist = @.hist_sum(t.wait_hist, excluded.wait_hist);
    END LOOP;
END $$;

-- 0 and NULL: any.
CREATE OR REPLACE FUNCTION @.stats_read(p_since bigint, p_until bigint, p_queue text, p_name text)
RETURNS SETOF @.stats LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
    SELECT * FROM @.stats
     WHERE minute_ms >= p_since AND (p_until = 0 OR minute_ms < p_until)
       AND (p_queue IS NULL OR queue = p_queue) AND (p_name IS NULL OR name = p_name)
     ORDER BY minute_ms, queue, name
$$;
