-- queues.sql: what queues hold, and pausing them.

-- Since when the oldest READY job of a queue may run, one look a priority; those at a limit are beside the line.
CREATE OR REPLACE FUNCTION @.oldest_ready(p_queue text) RETURNS bigint LANGUAGE sql STABLE AS $$
    WITH RECURSIVE priorities AS (
        (SELECT priority, run_at FROM @.ready WHERE queue = p_queue ORDER BY priority, run_at LIMIT 1)
        UNION ALL
        SELECT r.priority, r.run_at
          FROM priorities AS p
         CROSS JOIN LATERAL (SELECT priority, run_at FROM @.ready
                              WHERE queue = p_queue AND priority > p.priority ORDER BY priority, run_at LIMIT 1) AS r
    )
    SELECT least((SELECT min(run_at) FROM priorities), (SELECT min(run_at) FROM @.parked WHERE queue = p_queue))
$$;

CREATE OR REPLACE FUNCTION @.queues_look(p_now bigint)
RETURNS TABLE(queue text, held bigint, scheduled bigint, ready bigint, running bigint, completed bigint, failed bigint,
              cancelled bigint, paused_until bigint, oldest_ready bigint) LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
    WITH counted AS (
        SELECT queue, sum(held) AS held, sum(scheduled) AS scheduled, sum(ready) AS ready, sum(running) AS running,
               sum(completed) AS completed, sum(failed) AS failed, sum(cancelled) AS cancelled
          FROM @.counts GROUP BY queue
    )
    SELECT queue, coalesce(held, 0)::bigint, coalesce(scheduled, 0)::bigint, coalesce(ready, 0)::bigint,
           coalesce(running, 0)::bigint, coalesce(completed, 0)::bigint, coalesce(failed, 0)::bigint,
           coalesce(cancelled, 0)::bigint,
           CASE WHEN q.paused_until > @.now_ms(p_now) THEN q.paused_until ELSE 0 END,
           CASE WHEN c.ready > 0 THEN coalesce(@.oldest_ready(queue), 0) ELSE 0 END
      FROM counted AS c FULL JOIN @.queues AS q USING (queue)
     ORDER BY queue
$$;

CREATE OR REPLACE FUNCTION @.queue_pause(p_now bigint, p_queue text, p_until bigint) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    now constant bigint := @.now_ms(p_now);
    wakes int := 1;
BEGIN
    INSERT INTO @.queues(queue, paused_until) VALUES(p_queue, p_until)
        ON CONFLICT(queue) DO UPDATE SET paused_until = excluded.paused_until;
    IF @.is_followed(now) THEN
        PERFORM @.tell(now, CASE WHEN p_until > now THEN 'queue:paused' ELSE 'queue:resumed' END, '', '', p_queue, 0, -1,
                       CASE WHEN p_until > now AND p_until < 9223372036854775807 THEN p_until - now ELSE -1 END, '');
        wakes := wakes | 8;
    END IF;
    PERFORM @.wake(wakes, true);
END $$;
