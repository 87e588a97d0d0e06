-- change.sql: what an operator does to jobs: cancel, retry, delete, run now, edit.

-- Whether a change of this kind can act on a job of that state.
CREATE OR REPLACE FUNCTION @.can_change(p_kind int, p_state int, p_flags int, p_by_filter boolean) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_kind WHEN 0 THEN p_state <= 2 OR (p_state = 3 AND NOT (p_by_filter AND p_flags & 64 <> 0))
                       WHEN 1 THEN p_state IN (5, 6) WHEN 3 THEN p_state = 1 WHEN 2 THEN p_state <> 3 WHEN 5 THEN p_state <> 3
                       ELSE p_state NOT IN (3, 4) END
$$;

-- The states that it can act on, of those asked for (bits; 0: any).
CREATE OR REPLACE FUNCTION @.can_states(p_kind int, p_states bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT sum(1 << s) & CASE WHEN p_states = 0 THEN 127 ELSE p_states END
      FROM generate_series(0, 6) AS s WHERE @.can_change(p_kind, s, 0, true)
$$;

-- The operator's word counts more than that of a parent that has ended.
CREATE OR REPLACE FUNCTION @.edges_waive(INOUT j @.jobs) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_n int;
BEGIN
    IF j.flags & 16 = 0 THEN
        RETURN;
    END IF;
    WITH waived AS (UPDATE @.edges SET state = 1, is_cause = false WHERE child = j.key AND state = 2 RETURNING 1)
    SELECT count(*) INTO v_n FROM waived;
    j.waits := j.waits - v_n;
END
$$;

-- p_edit: {"priority", "tries", "run_at"} where they are to change; data and options: bytes, with p_has.
CREATE OR REPLACE FUNCTION @.job_edit(INOUT j @.jobs, p_has int, p_data bytea, p_options bytea, p_priority int, p_tries int, p_run_at bigint,
                                       p_now bigint) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF p_has & 1 <> 0 THEN
        UPDATE @.jobs SET data = p_data WHERE key = j.key;
    END IF;
    IF p_has & 2 <> 0 THEN
        UPDATE @.jobs SET options = p_options WHERE key = j.key;
    END IF;
    IF p_has & 4 <> 0 THEN
        UPDATE @.jobs SET tries = p_tries WHERE key = j.key;
        j.tries := p_tries;
    END IF;
    IF p_has & 8 <> 0 THEN
        IF j.state IN (1, 2) THEN
            PERFORM @.line_leave(j, p_now);
        END IF;
        j.priority := p_priority;
        UPDATE @.jobs SET priority = p_priority WHERE key = j.key;
        IF j.state IN (1, 2) THEN
            PERFORM @.line_enter(j);
        END IF;
    END IF;
    IF p_has & 16 <> 0 AND j.state <= 2 THEN
        j := @.job_put_off(j, greatest(p_run_at, p_now), p_now);
    END IF;
END
$$;

-- One job. changed: enum errand_changed.
CREATE OR REPLACE FUNCTION @.change_one(p_key bigint, p_kind int, p_by_filter boolean, p_has int, p_data bytea, p_options bytea, p_priority int,
                                         p_tries int, p_run_at bigint, p_tell boolean, p_now bigint, OUT changed int,
                                         OUT is_flagged boolean, INOUT moves @.move[]) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    j @.jobs := @.job_lock(p_key);
    f @.follows := @.nothing_to_follow();
    r record;
    v_from int;
BEGIN
    is_flagged := false;
    changed := 0;
    IF j.key IS NULL THEN
        IF NOT EXISTS(SELECT 1 FROM @.history WHERE key = p_key) THEN
            changed := 1;
        ELSIF p_kind NOT IN (2, 5) THEN
            changed := 2;
        ELSIF p_kind = 5 THEN
            PERFORM @.job_take_out(p_key, NULL, p_now);
        ELSE
            PERFORM @.job_drop(ARRAY[p_key], true);
        END IF;
        RETURN;
    END IF;
    v_from := @.state_of(j);
    IF NOT @.can_change(p_kind, v_from, j.flags, p_by_filter) THEN
        changed := 2;
        RETURN;
    END IF;
    IF p_kind = 0 AND v_from = 3 THEN
        is_flagged := j.flags & 64 = 0;
        UPDATE @.jobs SET flags = flags | 64 WHERE key = p_key;
        RETURN;
    END IF;
    IF p_kind = 5 THEN
        PERFORM @.job_take_out(p_key, j, p_now);
        RETURN;
    END IF;
    IF p_kind = 0 OR (p_kind = 2 AND v_from <= 2) THEN
        SELECT * INTO r FROM @.job_move(j, v_from, 6, 0, p_now, f);
        f := r.f;
        moves := moves || @.move_made(r.j, v_from, p_tell, p_now);
    ELSIF p_kind = 1 THEN
        IF NOT @.claim_again(j, p_now) THEN
            changed := 3;
            RETURN;
        END IF;
        j := @.edges_waive(j);
        j.run_at := p_now;
        SELECT * INTO r FROM @.job_move(j, v_from, CASE WHEN j.waits > 0 THEN 0 ELSE 2 END, NULL, p_now, f);
        f := r.f;
        moves := moves || @.move_made(r.j, v_from, p_tell, p_now);
    ELSIF p_kind = 3 THEN
        -- One that is due keeps the place it would have had.
        IF j.run_at <= p_now THEN
            SELECT * INTO r FROM @.job_move(j, 1, 2, 0, p_now, f);
            j := r.j;
        ELSE
            j := @.job_put_off(j, p_now, p_now);
        END IF;
        moves := moves || @.move_made(j, 1, p_tell, p_now);
    ELSIF p_kind = 4 THEN
        j := @.job_edit(j, p_has, p_data, p_options, p_priority, p_tries, p_run_at, p_now);
        IF j.state <> v_from THEN
            moves := moves || @.move_made(j, v_from, p_tell, p_now);
        ELSIF v_from < 4 AND p_tell THEN
            PERFORM @.tell_job(j, 'job:rescheduled', NULL, p_now);
        END IF;
    END IF;
    SELECT * INTO r FROM @.follow(p_tell, p_now, f, moves);
    moves := r.moves;
    IF p_kind = 2 THEN
        PERFORM @.job_drop(ARRAY[p_key], true);
    END IF;
END
$$;

-- A follow-up of this call may have brought a job to where it was to go.
CREATE OR REPLACE FUNCTION @.is_there(p_key bigint, p_kind int) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN EXISTS(SELECT 1 FROM @.jobs WHERE key = p_key AND state = CASE p_kind WHEN 0 THEN 6 WHEN 1 THEN 0 END);
END
$$;

-- By ids (p_id), each looked at in turn; or all that the filter finds when the call begins, in order of insertion.
-- The first row: what 0, how many were looked at (key) and changed (created_at), and more. Then, by ids, what became of each
-- (what 1, to_state), then the moves (2).
CREATE OR REPLACE FUNCTION @.change(p_now bigint, p_kind bigint, p_id text[], p_max bigint, p_has bigint, p_data bytea,
                                     p_options bytea, p_priority bigint, p_tries bigint, p_run_at bigint,
                                     p_states bigint, p_queue text, p_name text, p_tag text, p_batch text, p_search text, p_since bigint,
                                     p_until bigint)
RETURNS TABLE(what int, key bigint, created_at bigint, uid text, name text, queue text, from_state int, to_state int, attempt int,
              more boolean) LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    v_now bigint := CASE WHEN p_now = 0 THEN @.clock_ms() ELSE p_now END;
    v_tell boolean;
    v_moves @.move[] := '{}';
    v_by_filter boolean := p_id IS NULL;
    v_answers int[] := '{}';
    v_matched bigint := 0;
    v_changed bigint := 0;
    v_flagged bigint := 0;
    v_more boolean := false;
    v_key bigint;
    v_keys bigint[];
    r record;
BEGIN
    PERFORM @.rules_lock();
    IF v_by_filter THEN
        v_keys := array(
            SELECT c.k FROM @.found(@.can_states(p_kind::int, p_states), p_queue, p_name, p_tag, p_batch, p_search, p_since, p_until,
                                    NULL, false, NULL) AS c(k)
             WHERE @.can_states(p_kind::int, p_states) <> 0
               AND NOT EXISTS(SELECT 1 FROM @.jobs AS j WHERE p_kind = 0 AND j.key = c.k AND j.flags & 64 <> 0) ORDER BY c.k);
    END IF;
    SELECT t.follow_until > v_now INTO v_tell FROM @.root AS t;
    FOR i IN 1 .. coalesce(cardinality(p_id), cardinality(v_keys)) LOOP
        IF v_by_filter AND p_max > 0 AND v_changed = p_max THEN
            v_more := true;
            EXIT;
        END IF;
        v_key := CASE WHEN v_by_filter THEN v_keys[i] ELSE @.id_find(p_id[i]) END;
        v_matched := v_matched + 1;
        IF v_by_filter AND @.is_there(v_key, p_kind::int) THEN
            v_changed := v_changed + 1;
            CONTINUE;
        END IF;
        SELECT * INTO r FROM @.change_one(v_key, p_kind::int, v_by_filter, p_has::int, p_data, p_options, p_priority::int, p_tries::int,
                                          p_run_at, v_tell, v_now, v_moves);
        v_moves := r.moves;
        v_flagged := v_flagged + r.is_flagged::int;
        v_changed := v_changed + (r.changed = 0)::int;
        v_answers := v_answers || r.changed;
    END LOOP;
    IF v_flagged > 0 THEN
        UPDATE @.root SET control = control + v_flagged;
    END IF;
    PERFORM @.wake(3 | (v_flagged > 0)::int * 4 | v_tell::int * 8, true);
    RETURN QUERY SELECT 0, v_matched, v_changed, NULL::text, NULL::text, NULL::text, 0, 0, 0, v_more;
    IF NOT v_by_filter THEN
        RETURN QUERY SELECT 1, 0::bigint, 0::bigint, NULL::text, NULL::text, NULL::text, 0, a.changed, 0, false
                       FROM unnest(v_answers) WITH ORDINALITY AS a(changed, i) ORDER BY a.i;
    END IF;
    RETURN QUERY SELECT 2, m.key, m.created_at, m.uid, m.name, m.queue, m.from_state, m.to_state, m.attempt, false
                   FROM unnest(v_moves) WITH ORDINALITY AS m(key, created_at, uid, name, queue, from_state, to_state, attempt, i)
                  ORDER BY m.i;
END
$$;
