-- push.sql: storing jobs, all or nothing.
--
-- All jobs of a call are inserted as a set; those with ties (an id of the caller's, a key, an edge, a batch) in tied.sql.

-- One element of asks as it is kept: the policy is for the push alone.
CREATE OR REPLACE FUNCTION @.asks_kept(p_asks jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT p_asks - 'p'
$$;

CREATE OR REPLACE FUNCTION @.flags_of(p_asks jsonb) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce((p_asks ? 'u')::int + (p_asks ? 'l')::int * 2, 0)
$$;

-- The waiting holder of a key takes what the newcomer brings. NULL: it does not wait (any more), and nothing was changed.
CREATE OR REPLACE FUNCTION @.holder_update(p_holder bigint, p_replace boolean, p_data bytea, p_options bytea, p_run_at bigint,
                                            p_asks jsonb, p_now bigint) RETURNS @.jobs LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    j @.jobs;
BEGIN
    j := @.job_lock(p_holder);
    IF j.key IS NULL OR @.state_of(j) > 2 THEN
        RETURN NULL;
    END IF;
    IF p_replace THEN
        UPDATE @.jobs SET data = p_data, options = p_options WHERE key = j.key;
    END IF;
    j := @.job_put_off(j, greatest(p_run_at, p_now), p_now);
    j.asks := jsonb_set(j.asks, '{u,1}', p_asks->'u'->1);
    UPDATE @.jobs SET asks = j.asks WHERE key = j.key;
    UPDATE @.claims SET until_ms = @.until_of(p_now, (p_asks->'u'->>1)::bigint) WHERE key = @.key_of(j.asks) AND job = j.key;
    RETURN j;
END
$$;

-- The batch that is pushed to, locked; with its own definition it is made when it is not there.
CREATE OR REPLACE FUNCTION @.batch_find(p_uid text) RETURNS @.batches LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    b @.batches;
BEGIN
    SELECT * INTO b FROM @.batches WHERE uid = p_uid FOR UPDATE;
    RETURN b;
END
$$;

-- The key and state of a parent: its row is locked and flagged, so that its end sees the new edge.
CREATE OR REPLACE FUNCTION @.parent_lock(p_key bigint, OUT state int) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE @.jobs AS j SET flags = j.flags | 8 WHERE j.key = p_key RETURNING j.state INTO state;
    IF NOT FOUND THEN
        SELECT 4 INTO state FROM @.history AS h WHERE h.key = p_key;
    END IF;
END
$$;

-- Jobs without ties, in one go. Answers the first of their numbers, which follow each other.
CREATE OR REPLACE FUNCTION @.push_set(
    p_name text[], p_queue text[], p_data bytea[], p_options bytea[], p_priority bigint[], p_tries bigint[], p_run_at bigint[],
    p_flags bigint[], p_tags jsonb[], p_asks jsonb[], p_tell boolean, p_now bigint)
RETURNS TABLE(key bigint, state int) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN QUERY
    WITH fresh AS (
            INSERT INTO @.jobs AS j(key, created_at, run_at, priority, attempt, tries, flags, waits, state, queue, name, options, data,
                               tags, asks)
            SELECT nextval('@.job_keys'), p_now, greatest(u.run_at, p_now), coalesce(u.priority, 0), 0, u.tries,
                   coalesce(u.flags, 0) | @.flags_of(u.asks), 0, CASE WHEN u.run_at > p_now THEN 1 ELSE 2 END, u.queue, u.name,
                   u.options, u.data, CASE WHEN u.tags IS NOT NULL THEN array(SELECT jsonb_array_elements_text(u.tags)) END, u.asks
              FROM unnest(p_name, p_queue, p_data, p_options, p_priority, p_tries, p_run_at, p_flags, p_tags, p_asks)
                   AS u(name, queue, data, options, priority, tries, run_at, flags, tags, asks)
            RETURNING j.key, j.queue, j.priority, j.run_at, j.flags, j.state, j.name),
         r AS (INSERT INTO @.ready(queue, priority, run_at, key, flags)
               SELECT f.queue, f.priority, f.run_at, f.key, f.flags FROM fresh AS f WHERE f.state = 2),
         s AS (INSERT INTO @.scheduled(queue, run_at, key, priority)
               SELECT f.queue, f.run_at, f.key, f.priority FROM fresh AS f WHERE f.state = 1),
         c AS (INSERT INTO @.counts(queue, scheduled, ready)
               SELECT f.queue, count(*) FILTER (WHERE f.state = 1), count(*) FILTER (WHERE f.state = 2) FROM fresh AS f GROUP BY f.queue),
         t AS (INSERT INTO @.told(at_ms, type, id, name, queue, attempt, duration_ms, delay_ms, error)
               SELECT p_now, 'job:dispatched', @.id_text(p_now, f.key, NULL), f.name, f.queue, 0, -1,
                      CASE WHEN f.run_at > p_now THEN f.run_at - p_now ELSE -1 END, NULL
                 FROM fresh AS f WHERE p_tell ORDER BY f.key)
    SELECT f.key, f.state::int FROM fresh AS f;
END
$$;

-- A job on its own: what a dispatch is, nearly always.
CREATE OR REPLACE FUNCTION @.push_plain(
    p_name text, p_queue text, p_data bytea, p_options bytea, p_priority int, p_tries int, p_run_at bigint, p_flags int,
    p_tags text[], p_asks jsonb, p_tell boolean, p_now bigint, OUT key bigint, OUT state int)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_run_at bigint := greatest(p_run_at, p_now);
BEGIN
    key := nextval('@.job_keys');
    state := CASE WHEN p_run_at > p_now THEN 1 ELSE 2 END;
    INSERT INTO @.jobs AS j(key, created_at, run_at, priority, attempt, tries, flags, waits, state, queue, name, options, data, tags, asks)
        VALUES(push_plain.key, p_now, v_run_at, p_priority, 0, p_tries, p_flags, 0, push_plain.state, p_queue, p_name, p_options,
               p_data, p_tags, p_asks);
    IF state = 2 THEN
        INSERT INTO @.ready(queue, priority, run_at, key, flags) VALUES(p_queue, p_priority, v_run_at, push_plain.key, p_flags);
        INSERT INTO @.counts(queue, ready) VALUES(p_queue, 1);
    ELSE
        INSERT INTO @.scheduled(queue, run_at, key, priority) VALUES(p_queue, v_run_at, push_plain.key, p_priority);
        INSERT INTO @.counts(queue, scheduled) VALUES(p_queue, 1);
    END IF;
    IF p_tell THEN
        INSERT INTO @.told(at_ms, type, id, name, queue, attempt, duration_ms, delay_ms, error)
            VALUES(p_now, 'job:dispatched', @.id_text(p_now, push_plain.key, NULL), p_name, p_queue, 0, -1,
                   CASE WHEN v_run_at > p_now THEN v_run_at - p_now ELSE -1 END, NULL);
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION @.not_found(p_text text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'ER003', MESSAGE = p_text;
END
$$;

CREATE OR REPLACE FUNCTION @.other_store() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'ER099', MESSAGE = 'the connection is to another store than this one';
END
$$;

-- p_salt: of the store that is meant: the application's own connection may be to another one, and ours may have been to one
-- that was dropped since (ER099). p_is_own false: in a transaction that is not ours.
CREATE OR REPLACE FUNCTION @.push(
    p_now bigint, p_salt bigint, p_is_own boolean, p_id text[], p_name text[], p_queue text[], p_data bytea[], p_options bytea[],
    p_priority bigint[], p_tries bigint[], p_run_at bigint[], p_flags bigint[], p_tags jsonb[], p_asks jsonb[], p_batch text[],
    p_edge_child bigint[], p_edge_parent bigint[], p_edge_id text[], p_edge_is_batch bigint[], p_edge_on bigint[],
    p_new_batch text, p_new_name text, p_new_allow boolean, p_new_options bytea)
RETURNS TABLE(pushed int, key bigint, created_at bigint, uid text, state int, hints int) LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    v_xact xid8 := pg_current_xact_id();   -- before the clock is read: marks.sql
    v_now bigint := CASE WHEN p_now = 0 THEN @.clock_ms() ELSE p_now END;
    v_root @.root;
    v_tell boolean;
    v_tied boolean := p_id IS NOT NULL OR p_batch IS NOT NULL OR p_edge_child IS NOT NULL OR p_new_batch IS NOT NULL;
    v_wakes int := 1;
BEGIN
    SELECT * INTO v_root FROM @.root;
    IF v_root.salt <> p_salt THEN
        PERFORM @.other_store();
    END IF;
    v_tell := v_root.follow_until > v_now;
    IF NOT v_tied AND p_asks IS NOT NULL THEN
        v_tied := EXISTS(SELECT 1 FROM unnest(p_asks) AS a WHERE a ? 'u');
    END IF;
    IF v_tied THEN
        IF p_is_own AND (p_edge_id IS NOT NULL OR p_batch IS NOT NULL OR p_asks IS NOT NULL) THEN
            PERFORM @.rules_lock();
        END IF;
        v_wakes := 3;
        RETURN QUERY SELECT e.pushed, e.key, e.created_at, e.uid, e.state, v_tell::int
                       FROM @.push_tied(p_id, p_name, p_queue, p_data, p_options, p_priority, p_tries, p_run_at, p_flags, p_tags, p_asks,
                                        p_batch, p_edge_child, p_edge_parent, p_edge_id, p_edge_is_batch, p_edge_on, p_new_batch,
                                        p_new_name, p_new_allow, p_new_options, v_tell, v_now) AS e;
    ELSIF cardinality(p_name) = 1 THEN
        RETURN QUERY SELECT 0, e.key, v_now, NULL::text, e.state, v_tell::int
                       FROM @.push_plain(p_name[1], p_queue[1], p_data[1], p_options[1], coalesce(p_priority[1], 0)::int, p_tries[1]::int,
                                         p_run_at[1], (coalesce(p_flags[1], 0) | @.flags_of(p_asks[1]))::int,
                                         CASE WHEN p_tags IS NOT NULL THEN array(SELECT jsonb_array_elements_text(p_tags[1])) END,
                                         p_asks[1], v_tell, v_now) AS e;
    ELSE
        RETURN QUERY SELECT 0, e.key, v_now, NULL::text, e.state, v_tell::int
                       FROM @.push_set(p_name, p_queue, p_data, p_options, p_priority, p_tries, p_run_at, p_flags, p_tags, p_asks, v_tell,
                                       v_now) AS e;
    END IF;
    IF p_now <> 0 THEN
        PERFORM @.marks_lower_all(p_queue, p_now);
    END IF;
    PERFORM @.wake(v_wakes | v_tell::int * 8, p_is_own);
END
$$;

-- The same of one job on its own: without arrays, and with no plan that the settings of push() would have to steer.
CREATE OR REPLACE FUNCTION @.push(
    p_now bigint, p_salt bigint, p_is_own boolean, p_name text, p_queue text, p_data bytea, p_options bytea, p_priority bigint,
    p_tries bigint, p_run_at bigint, p_flags bigint, p_tags jsonb[], p_asks jsonb[],
    OUT pushed int, OUT key bigint, OUT created_at bigint, OUT uid text, OUT state int, OUT hints int) LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_xact xid8 := pg_current_xact_id();   -- before the clock is read: marks.sql
    v_salt bigint;
    v_follow bigint;
BEGIN
    SELECT r.salt, r.follow_until INTO v_salt, v_follow FROM @.root AS r;
    IF v_salt <> p_salt THEN
        PERFORM @.other_store();
    END IF;
    pushed := 0;
    created_at := @.now_ms(p_now);
    hints := (v_follow > created_at)::int;
    SELECT e.key, e.state INTO key, state
      FROM @.push_plain(p_name, p_queue, p_data, p_options, p_priority::int, p_tries::int, p_run_at,
                        (p_flags | @.flags_of(p_asks[1]))::int,
                        CASE WHEN p_tags IS NOT NULL THEN array(SELECT jsonb_array_elements_text(p_tags[1])) END, p_asks[1], hints = 1,
                        created_at) AS e;
    IF p_now <> 0 THEN
        PERFORM @.marks_lower(p_queue, p_priority::int, p_now, 0);
    END IF;
    PERFORM @.wake(1 | hints * 8, p_is_own);
END
$$;
