-- follow.sql: what the end of a job or batch means for those who wait for it.
--
-- One after the other from a list and not by recursion: a chain may have a million links. The list is in the order in which
-- things became true, so a cause comes before its effects. Under the rules lock.

-- The state of an edge by its parent's end: 0 open, 1 satisfied, 2 against.
CREATE OR REPLACE FUNCTION @.edge_by_job(p_on int, p_state int) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_state < 4 THEN 0
                WHEN p_on = 2 OR (p_on = 0 AND p_state = 4) OR (p_on = 1 AND p_state = 5) THEN 1 ELSE 2 END
$$;
CREATE OR REPLACE FUNCTION @.edge_by_batch(p_on int, b @.batches) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN b.ended_at = 0 THEN 0
                WHEN p_on = 2 OR (p_on = 0) = (b.failed = 0 AND b.cancelled = 0) THEN 1 ELSE 2 END
$$;

CREATE OR REPLACE FUNCTION @.edge_decide(e @.edges, p_state int, p_tell boolean, p_now bigint, INOUT f @.follows, OUT m @.move)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    j @.jobs;
    r record;
BEGIN
    IF e.state <> 0 OR p_state = 0 THEN
        RETURN;
    END IF;
    j := @.job_lock(e.child);
    UPDATE @.edges SET state = p_state, is_cause = (p_state = 2 AND j.state = 0) WHERE id = e.id;
    IF p_state = 2 THEN
        IF j.state = 0 THEN
            SELECT * INTO r FROM @.job_move(j, 0, 6, 0, p_now, f);
            f := r.f;
            m := @.move_made(r.j, 0, p_tell, p_now);
        END IF;
        RETURN;
    END IF;
    j.waits := j.waits - 1;
    IF j.state = 0 AND j.waits = 0 THEN
        j.run_at := greatest(j.run_at, p_now);
        SELECT * INTO r FROM @.job_move(j, 0, CASE WHEN j.run_at <= p_now THEN 2 ELSE 1 END, 0, p_now, f);
        f := r.f;
        m := @.move_made(r.j, 0, p_tell, p_now);
    ELSE
        UPDATE @.jobs SET waits = j.waits WHERE key = j.key;
    END IF;
END
$$;

-- The parent is back to life: a child that it had made CANCELLED is HELD again.
CREATE OR REPLACE FUNCTION @.edge_reopen(e @.edges, p_tell boolean, p_now bigint, INOUT f @.follows, OUT m @.move)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    j @.jobs;
    r record;
    v_other bigint;
BEGIN
    -- Another edge of the same two may have handed its part on to this one.
    SELECT * INTO e FROM @.edges WHERE id = e.id;
    IF e.state <> 2 THEN
        RETURN;
    END IF;
    j := @.job_lock(e.child);
    IF j.state <> 6 OR NOT e.is_cause THEN
        UPDATE @.edges SET state = 0 WHERE id = e.id;
        RETURN;
    END IF;
    UPDATE @.edges SET state = 0, is_cause = false WHERE id = e.id;
    SELECT id INTO v_other FROM @.edges WHERE child = e.child AND state = 2 ORDER BY child, id LIMIT 1;
    IF FOUND THEN
        UPDATE @.edges SET is_cause = true WHERE id = v_other;
        RETURN;
    END IF;
    IF NOT @.claim_again(j, p_now) THEN
        RETURN;
    END IF;
    SELECT * INTO r FROM @.job_move(j, 6, 0, NULL, p_now, f);
    f := r.f;
    m := @.move_made(r.j, 6, p_tell, p_now);
END
$$;

-- Tells the children of a job (b NULL) or of a batch.
CREATE OR REPLACE FUNCTION @.tell_children(p_parent bigint, p_state int, b @.batches, p_is_alive boolean, p_tell boolean, p_now bigint,
                                            INOUT f @.follows, INOUT moves @.move[]) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    e @.edges;
    r record;
BEGIN
    FOR e IN SELECT * FROM @.edges WHERE parent = p_parent AND is_batch = (p_state IS NULL) ORDER BY parent, is_batch, id LOOP
        IF p_is_alive THEN
            SELECT * INTO r FROM @.edge_reopen(e, p_tell, p_now, f);
        ELSIF p_state IS NOT NULL THEN
            SELECT * INTO r FROM @.edge_decide(e, @.edge_by_job(e.on_end, p_state), p_tell, p_now, f);
        ELSE
            SELECT * INTO r FROM @.edge_decide(e, @.edge_by_batch(e.on_end, b), p_tell, p_now, f);
        END IF;
        f := r.f;
        IF NOT r.m IS NULL THEN
            moves := moves || r.m;
        END IF;
    END LOOP;
END
$$;

-- Members that wait are cancelled, in order of insertion.
CREATE OR REPLACE FUNCTION @.members_cancel(p_batch bigint, p_tell boolean, p_now bigint, INOUT f @.follows, INOUT moves @.move[])
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    j @.jobs;
    r record;
    v_key bigint;
    v_from int;
BEGIN
    UPDATE @.batches SET is_cancelled = true WHERE key = p_batch;
    FOR v_key IN SELECT m.key FROM @.members AS m JOIN @.jobs AS x ON x.key = m.key
                  WHERE m.batch = p_batch AND x.state <= 2 ORDER BY m.batch, m.key LOOP
        j := @.job_lock(v_key);
        v_from := @.state_of(j);
        IF v_from <= 2 THEN
            SELECT * INTO r FROM @.job_move(j, v_from, 6, 0, p_now, f);
            f := r.f;
            moves := moves || @.move_made(r.j, v_from, p_tell, p_now);
        END IF;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION @.follow_job(p_key bigint, p_tell boolean, p_now bigint, INOUT f @.follows, INOUT moves @.move[])
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    j @.jobs;
    r record;
    v_state int := 4;   -- gone from jobs: COMPLETED, whether it is kept or not
BEGIN
    SELECT * INTO j FROM @.jobs WHERE key = p_key;
    IF FOUND THEN
        v_state := j.state;
    END IF;
    SELECT * INTO r FROM @.tell_children(p_key, v_state, NULL, v_state < 4, p_tell, p_now, f, moves);
    f := r.f;
    moves := r.moves;
    IF v_state = 5 AND j.flags & 4 <> 0 THEN
        PERFORM 1 FROM @.batches WHERE key = j.batch AND NOT allow_failures;
        IF FOUND THEN
            SELECT * INTO r FROM @.members_cancel(j.batch, p_tell, p_now, f, moves);
            f := r.f;
            moves := r.moves;
        END IF;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION @.follow_batch(p_key bigint, p_tell boolean, p_now bigint, INOUT f @.follows, INOUT moves @.move[])
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    b @.batches;
    r record;
BEGIN
    IF p_key = ANY (f.reopened) THEN
        f.reopened := array_remove(f.reopened, p_key);
        SELECT * INTO r FROM @.tell_children(p_key, NULL, NULL, true, p_tell, p_now, f, moves);
        f := r.f;
        moves := r.moves;
    END IF;
    UPDATE @.batches SET ended_at = p_now WHERE key = p_key AND pending = 0 AND ended_at = 0 RETURNING * INTO b;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF p_tell THEN
        INSERT INTO @.told(at_ms, type, id, name, queue, attempt, duration_ms, delay_ms, error)
            VALUES(p_now, 'batch:ended', b.uid, b.name, '', 0, -1, -1, NULL);
    END IF;
    SELECT * INTO r FROM @.tell_children(p_key, NULL, b, false, p_tell, p_now, f, moves);
    f := r.f;
    moves := r.moves;
END
$$;

CREATE OR REPLACE FUNCTION @.follow(p_tell boolean, p_now bigint, INOUT f @.follows, INOUT moves @.move[]) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    r record;
    v_key bigint;
BEGIN
    LOOP
        IF cardinality(f.jobs) > 0 THEN
            v_key := f.jobs[1];
            f.jobs := f.jobs[2:];
            SELECT * INTO r FROM @.follow_job(v_key, p_tell, p_now, f, moves);
        ELSIF cardinality(f.batches) > 0 THEN
            v_key := f.batches[1];
            f.batches := f.batches[2:];
            SELECT * INTO r FROM @.follow_batch(v_key, p_tell, p_now, f, moves);
        ELSE
            RETURN;
        END IF;
        f := r.f;
        moves := r.moves;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION @.nothing_to_follow() RETURNS @.follows LANGUAGE sql IMMUTABLE AS $$
    SELECT ('{}', '{}', '{}')::@.follows
$$;
