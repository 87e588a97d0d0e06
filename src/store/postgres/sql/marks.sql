-- marks.sql: low-water marks, so that a reserve does not walk over the rows of ready that are gone.
--
-- What is taken leaves a dead entry at the head of the index until a VACUUM, and none comes while somebody holds an old
-- snapshot: within a minute at full speed a reserve would walk over millions. So a mark says of a queue and a priority that
-- nothing stands below it, and the reserve steps over that piece of the line. What makes that true, whoever commits when:
--
-- 1. A push stores a job that is due from its own time on. It has its transaction's number before it reads the clock, and no
--    mark goes past the time at which it was proposed. So a transaction that began after the proposal stores above it.
-- 2. Whoever else lets a job into ready (a retry, a release, a lease that is over, one let out of a limit) says so to
--    marks_lower in the same transaction.
-- 3. A mark moves in three steps, each a transaction of its own: it is proposed; then, that being known, a fence is set, the
--    number of the next transaction, from which on all know the proposal; then, when nobody from before the fence is at work
--    on ready any more, the mark goes as far as proposed, or to the first row that stands there now.
-- 4. A mark later than now is not heeded (the clock went back), and once a minute the whole is looked through.

-- A row enters the line at (p_run_at, p_key).
CREATE OR REPLACE FUNCTION @.marks_lower(p_queue text, p_priority int, p_run_at bigint, p_key bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE @.marks
       SET run_at = CASE WHEN (run_at, key) > (p_run_at, p_key) THEN p_run_at ELSE run_at END,
           key = CASE WHEN (run_at, key) > (p_run_at, p_key) THEN p_key ELSE key END,
           next_run_at = CASE WHEN (next_run_at, next_key) > (p_run_at, p_key) THEN p_run_at ELSE next_run_at END,
           next_key = CASE WHEN (next_run_at, next_key) > (p_run_at, p_key) THEN p_key ELSE next_key END
     WHERE queue = p_queue AND priority = p_priority
       AND ((run_at, key) > (p_run_at, p_key) OR (next_run_at, next_key) > (p_run_at, p_key));
END
$$;

-- Rows enter the lines of these queues, of any priority, none before p_run_at.
CREATE OR REPLACE FUNCTION @.marks_lower_all(p_queues text[], p_run_at bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM @.marks_lower(m.queue, m.priority, p_run_at, 0)
       FROM @.marks AS m WHERE m.queue = ANY (p_queues) AND (m.run_at >= p_run_at OR m.next_run_at >= p_run_at)
      ORDER BY m.queue, m.priority;
END
$$;

-- The places of the first p_max rows of a queue that nobody else is taking, locked: piece by piece, from mark to mark.
CREATE OR REPLACE FUNCTION @.first_places(p_queue text, p_max bigint, p_now bigint) RETURNS tid[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_places tid[] := '{}';
    v_priority int := -2147483648;
    v_run_at bigint := -9223372036854775808;
    v_key bigint := 0;
    m @.marks;
BEGIN
    FOR m IN SELECT * FROM @.marks WHERE queue = p_queue AND run_at <= p_now ORDER BY queue, priority LOOP
        v_places := v_places || ARRAY(
            SELECT ctid FROM @.ready WHERE queue = p_queue AND (priority, run_at, key) >= (v_priority, v_run_at, v_key)
                                       AND priority < m.priority
             ORDER BY queue, priority, run_at, key LIMIT p_max - cardinality(v_places) FOR UPDATE SKIP LOCKED);
        IF cardinality(v_places) >= p_max THEN
            RETURN v_places;
        END IF;
        v_priority := m.priority;
        v_run_at := m.run_at;
        v_key := m.key;
    END LOOP;
    RETURN v_places || ARRAY(
        SELECT ctid FROM @.ready WHERE queue = p_queue AND (priority, run_at, key) >= (v_priority, v_run_at, v_key)
         ORDER BY queue, priority, run_at, key LIMIT p_max - cardinality(v_places) FOR UPDATE SKIP LOCKED);
END
$$;

-- Queues that have rows in ready, and those that have a mark.
CREATE OR REPLACE FUNCTION @.marked_queues() RETURNS text[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_marked text[] := ARRAY(SELECT DISTINCT queue FROM @.marks ORDER BY queue);
    v_all text[] := '{}';
    v_last text := '';
    v_end text;
    v_next text;
BEGIN
    -- Between one that is marked and the next: the entries of a marked one are not walked over.
    FOR i IN 1 .. cardinality(v_marked) + 1 LOOP
        v_end := coalesce(v_marked[i], chr(1114111));
        LOOP
            SELECT queue INTO v_next FROM @.ready WHERE queue > v_last AND queue < v_end ORDER BY queue LIMIT 1;
            EXIT WHEN NOT FOUND;
            v_all := v_all || v_next;
            v_last := v_next;
        END LOOP;
        IF v_marked[i] IS NOT NULL THEN
            v_all := v_all || v_marked[i];
            v_last := v_marked[i];
        END IF;
    END LOOP;
    RETURN v_all;
END
$$;

CREATE OR REPLACE FUNCTION @.first_of_line(m @.marks, OUT run_at bigint, OUT key bigint) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    SELECT r.run_at, r.key INTO run_at, key FROM @.ready AS r
     WHERE r.queue = m.queue AND r.priority = m.priority AND (r.run_at, r.key) >= (m.run_at, m.key)
     ORDER BY r.queue, r.priority, r.run_at, r.key LIMIT 1;
END
$$;

-- Whether nobody from before the fence can still store into ready.
CREATE OR REPLACE FUNCTION @.fence_holds(p_fence xid8) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF pg_snapshot_xmin(pg_current_snapshot()) >= p_fence THEN
        RETURN true;
    END IF;
    -- A transaction may be open for long and have nothing to do with us.
    RETURN NOT EXISTS(
        SELECT 1 FROM pg_locks AS r JOIN pg_locks AS t USING (virtualtransaction)
         WHERE r.locktype = 'relation' AND r.relation = '@.ready'::regclass AND r.mode = 'RowExclusiveLock' AND r.granted
           AND r.database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND t.locktype = 'transactionid' AND t.mode = 'ExclusiveLock' AND t.granted
           AND t.transactionid <> pg_current_xact_id_if_assigned()::xid
           AND age(t.transactionid) > age(p_fence::xid));
END
$$;

-- The next step of one mark, whose row is locked.
CREATE OR REPLACE FUNCTION @.mark_step(m @.marks, p_slack bigint, p_now bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_verify boolean := false;
    v_run_at bigint;
    v_key bigint;
BEGIN
    IF m.run_at > p_now OR m.next_run_at > p_now THEN
        m := (m.queue, m.priority, -9223372036854775808, 0, NULL, NULL, NULL, p_now, 0)::@.marks;
    END IF;
    IF m.next_run_at IS NULL THEN
        -- Rows that this transaction has taken are not seen: that they are gone is known when the proposal is.
        SELECT run_at, key INTO v_run_at, v_key FROM @.first_of_line(m);
        m.next_run_at := least(v_run_at, p_now - p_slack);
        m.next_key := CASE WHEN v_run_at <= p_now - p_slack THEN v_key ELSE 0 END;
        IF (m.next_run_at, m.next_key) <= (m.run_at, m.key) THEN
            m.next_run_at := NULL;
        END IF;
    ELSIF m.fence IS NULL THEN
        m.fence := pg_snapshot_xmax(pg_current_snapshot());
    ELSIF @.fence_holds(m.fence) THEN
        v_verify := m.verified_ms NOT BETWEEN p_now - 60000 AND p_now;
        IF v_verify THEN
            m.run_at := -9223372036854775808;
        END IF;
        SELECT run_at, key INTO v_run_at, v_key FROM @.first_of_line(m);
        m.run_at := least(m.next_run_at, v_run_at);
        m.key := CASE WHEN (v_run_at, v_key) < (m.next_run_at, m.next_key) THEN v_key ELSE m.next_key END;
        m.next_run_at := NULL;
        m.fence := NULL;
    END IF;
    UPDATE @.marks
       SET run_at = m.run_at, key = m.key, next_run_at = m.next_run_at, next_key = m.next_key, fence = m.fence, moved_ms = p_now,
           verified_ms = CASE WHEN v_verify THEN p_now ELSE m.verified_ms END
     WHERE queue = m.queue AND priority = m.priority;
END
$$;

-- A mark for the line of this job, when it has none. A queue of many priorities has them for some.
CREATE OR REPLACE FUNCTION @.mark_make(p_key bigint, p_now bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_queue text;
    v_priority int;
BEGIN
    SELECT queue, priority INTO v_queue, v_priority FROM @.jobs WHERE key = p_key;
    IF EXISTS(SELECT 1 FROM @.marks WHERE queue = v_queue AND priority = v_priority) THEN
        RETURN;
    END IF;
    DELETE FROM @.marks
     WHERE ctid = ANY (ARRAY(SELECT ctid FROM @.marks WHERE moved_ms < p_now - 3600000 FOR UPDATE SKIP LOCKED));
    INSERT INTO @.marks(queue, priority, moved_ms, verified_ms)
        SELECT v_queue, v_priority, p_now, p_now WHERE (SELECT count(*) FROM @.marks WHERE queue = v_queue) < 16
        ON CONFLICT DO NOTHING;
END
$$;

-- After a reserve: a step of the marks of its queues, many a second while lines are long, which leave as many dead entries,
-- else one each second, since every step leaves a dead row here.
--
-- errand.marks = eager: with every reserve and without slack, for tests.
CREATE OR REPLACE FUNCTION @.marks_move(p_queues text[], p_keys bigint[], p_token bigint, p_is_long boolean, p_now bigint)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_eager constant boolean := coalesce(current_setting('errand.marks', true) = 'eager', false);
    v_every constant bigint := CASE WHEN v_eager THEN -1 WHEN p_is_long THEN 50 ELSE 1000 END;
    m @.marks;
BEGIN
    FOR m IN SELECT * FROM @.marks WHERE queue = ANY (p_queues) AND moved_ms NOT BETWEEN p_now - v_every AND p_now
              ORDER BY queue, priority FOR UPDATE SKIP LOCKED LOOP
        PERFORM @.mark_step(m, CASE WHEN v_eager THEN 0 ELSE 2000 END, p_now);
    END LOOP;
    IF p_is_long OR v_eager OR p_token % 64 = 0 THEN
        PERFORM @.mark_make(p_keys[1 + p_token % cardinality(p_keys)], p_now);
    END IF;
END
$$;
