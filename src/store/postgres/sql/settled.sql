-- settled.sql: what it means for others that jobs are DONE which were settled as a set (settle.sql). Under the rules lock.

-- Whether sets will do: no batch ends, and no child is against it; then the order of what follows is that of the outcomes.
CREATE OR REPLACE FUNCTION @.is_set_enough(p_keys bigint[]) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN NOT EXISTS(
               SELECT 1 FROM (SELECT j.batch, count(*) AS n FROM @.jobs AS j WHERE j.key = ANY (p_keys) AND j.flags & 4 <> 0 GROUP BY j.batch) AS s
                        JOIN @.batches AS b ON b.key = s.batch WHERE b.pending <= s.n)
       AND NOT EXISTS(
               SELECT 1 FROM @.edges AS e
                WHERE e.parent = ANY (p_keys) AND NOT e.is_batch AND e.state = 0 AND e.on_end = 1);
END
$$;

-- Children of these jobs, which are COMPLETED, in the order of the outcomes and of their edges.
CREATE OR REPLACE FUNCTION @.children_release(p_parents bigint[], p_tell boolean, p_now bigint) RETURNS @.move[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_moves @.move[];
    v_children bigint[];
    v_counts int[];
    v_last bigint[];
    v_queues text[];
BEGIN
    WITH decided AS (
            UPDATE @.edges AS e SET state = 1
             WHERE e.parent = ANY (p_parents) AND NOT e.is_batch AND e.state = 0 AND e.on_end <> 1
            RETURNING e.child, e.parent, e.id),
         ordered AS (SELECT d.child, row_number() OVER (ORDER BY array_position(p_parents, d.parent), d.id) AS i FROM decided AS d),
         sums AS (SELECT o.child, count(*) AS n, max(o.i) AS last FROM ordered AS o GROUP BY o.child)
    SELECT array_agg(s.child ORDER BY s.child), array_agg(s.n ORDER BY s.child), array_agg(s.last ORDER BY s.child)
      INTO v_children, v_counts, v_last FROM sums AS s;
    IF v_children IS NULL THEN
        RETURN '{}';
    END IF;
    PERFORM 1 FROM @.jobs WHERE key = ANY (v_children) ORDER BY key FOR UPDATE;
    WITH c AS MATERIALIZED (
            SELECT j.key, j.state = 0 AND j.waits = u.n AS is_free, j.waits - u.n AS waits, greatest(j.run_at, p_now) AS run_at, u.last
              FROM unnest(v_children, v_counts, v_last) AS u(child, n, last) JOIN @.jobs AS j ON j.key = u.child),
         freed AS (
            UPDATE @.jobs AS j
               SET waits = c.waits, run_at = CASE WHEN c.is_free THEN c.run_at ELSE j.run_at END,
                   state = CASE WHEN NOT c.is_free THEN j.state WHEN c.run_at <= p_now THEN 2 ELSE 1 END
              FROM c WHERE j.key = c.key
            RETURNING j.key, j.created_at, j.uid, j.name, j.queue, j.priority, j.run_at, j.flags, j.state, j.attempt, c.last, c.is_free),
         r AS (INSERT INTO @.ready(queue, priority, run_at, key, flags)
               SELECT f.queue, f.priority, f.run_at, f.key, f.flags FROM freed AS f WHERE f.is_free AND f.state = 2),
         s AS (INSERT INTO @.scheduled(queue, run_at, key, priority)
               SELECT f.queue, f.run_at, f.key, f.priority FROM freed AS f WHERE f.is_free AND f.state = 1),
         n AS (INSERT INTO @.counts(queue, held, scheduled, ready)
               SELECT f.queue, -count(*), count(*) FILTER (WHERE f.state = 1), count(*) FILTER (WHERE f.state = 2)
                 FROM freed AS f WHERE f.is_free GROUP BY f.queue),
         t AS (INSERT INTO @.told(at_ms, type, id, name, queue, attempt, duration_ms, delay_ms, error)
               SELECT p_now, 'job:released', @.id_text(f.created_at, f.key, f.uid), f.name, f.queue, f.attempt, -1, -1, NULL
                 FROM freed AS f WHERE f.is_free AND p_tell ORDER BY f.last)
    SELECT array_agg((f.key, f.created_at, f.uid, f.name, f.queue, 0, f.state, f.attempt)::@.move ORDER BY f.last),
           array_agg(DISTINCT f.queue)
      INTO v_moves, v_queues FROM freed AS f WHERE f.is_free;
    PERFORM @.marks_lower_all(v_queues, p_now);
    RETURN coalesce(v_moves, '{}');
END
$$;

CREATE OR REPLACE FUNCTION @.settled_ties(p_keys bigint[], p_batches bigint[], p_uids text[], p_claims bytea[], p_parents bigint[],
                                           p_keep boolean, p_tell boolean, p_now bigint) RETURNS @.move[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    f @.follows := @.nothing_to_follow();
    v_moves @.move[] := '{}';
    r record;
BEGIN
    DELETE FROM @.claims WHERE key = ANY (p_claims) AND job = ANY (p_keys) AND ends <> 0;
    FOR r IN WITH fewer AS (
                    UPDATE @.batches AS b SET pending = b.pending - s.n
                      FROM (SELECT u.k, count(*) AS n FROM unnest(p_batches) AS u(k) GROUP BY u.k) AS s WHERE b.key = s.k
                    RETURNING b.key, b.pending)
             SELECT w.key FROM fewer AS w WHERE w.pending = 0 ORDER BY w.key LOOP
        f.batches := f.batches || r.key;
    END LOOP;
    IF p_parents IS NOT NULL THEN
        v_moves := @.children_release(p_parents, p_tell, p_now);
        -- An edge that has come since.
        f.jobs := array(SELECT DISTINCT e.parent FROM @.edges AS e WHERE e.parent = ANY (p_parents) AND NOT e.is_batch AND e.state = 0);
    END IF;
    SELECT * INTO r FROM @.follow(p_tell, p_now, f, v_moves);
    IF NOT p_keep THEN
        PERFORM @.trace_drop(p_keys, p_uids, p_batches, p_claims, false);
    END IF;
    RETURN r.moves;
END
$$;
