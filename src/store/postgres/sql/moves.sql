-- moves.sql: a job goes from one state to another, with all that belongs to the job itself.

-- What a move that follows from a call is called (core/events.c).
CREATE OR REPLACE FUNCTION @.move_name(p_from int, p_to int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_to = 6 THEN 'job:cancelled' WHEN p_to = 5 THEN 'job:failed' WHEN p_to = 0 THEN 'job:held'
                WHEN p_from = 3 THEN 'job:stalled' WHEN p_from = 0 THEN 'job:released'
                WHEN p_from >= 4 THEN 'job:retried' ELSE 'job:rescheduled' END
$$;

-- Events carry at most 1,024 bytes of an error, whole characters.
CREATE OR REPLACE FUNCTION @.told_error(p_error bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_len int := 1024;
BEGIN
    IF p_error IS NULL OR length(p_error) <= v_len THEN
        RETURN p_error;
    END IF;
    WHILE v_len > 0 AND get_byte(p_error, v_len) & 192 = 128 LOOP
        v_len := v_len - 1;
    END LOOP;
    RETURN substr(p_error, 1, v_len);
END
$$;

CREATE OR REPLACE FUNCTION @.tell_job(j @.jobs, p_type text, p_error bytea, p_now bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    INSERT INTO @.told(at_ms, type, id, name, queue, attempt, duration_ms, delay_ms, error)
        VALUES(p_now, p_type, @.id_text(j.created_at, j.key, j.uid), j.name, j.queue, j.attempt, -1, -1, p_error);
END
$$;

-- Tells it when somebody follows, and answers it for the list of moves.
CREATE OR REPLACE FUNCTION @.move_made(j @.jobs, p_from int, p_tell boolean, p_now bigint) RETURNS @.move LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF p_tell THEN
        PERFORM @.tell_job(j, @.move_name(p_from, j.state),
                           CASE WHEN p_from = 3 AND j.state <> 6 THEN @.told_error(j.error) END, p_now);
    END IF;
    RETURN (j.key, j.created_at, j.uid, j.name, j.queue, p_from, j.state, j.attempt)::@.move;
END
$$;

-- A member of a batch moves: the counts follow, and what is to be followed up.
CREATE OR REPLACE FUNCTION @.batch_count(p_batch bigint, p_from int, p_to int, INOUT f @.follows) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    b @.batches;
    v_revives boolean := coalesce(p_from, 0) >= 4 AND p_to < 4;
BEGIN
    SELECT * INTO b FROM @.batches WHERE key = p_batch FOR UPDATE;
    IF v_revives THEN
        IF b.ended_at <> 0 AND NOT p_batch = ANY (f.reopened) THEN
            f.reopened := f.reopened || p_batch;
        END IF;
        b.is_cancelled := false;
        b.ended_at := 0;
    END IF;
    b.pending := b.pending + (p_to < 4)::int - coalesce((p_from < 4)::int, 0);
    b.failed := b.failed + (p_to = 5)::int - coalesce((p_from = 5)::int, 0);
    b.cancelled := b.cancelled + (p_to = 6)::int - coalesce((p_from = 6)::int, 0);
    UPDATE @.batches SET is_cancelled = b.is_cancelled, ended_at = b.ended_at, pending = b.pending, failed = b.failed,
                         cancelled = b.cancelled
     WHERE key = p_batch;
    IF (b.pending = 0 OR p_batch = ANY (f.reopened)) AND NOT p_batch = ANY (f.batches) THEN
        f.batches := f.batches || p_batch;
    END IF;
END
$$;

-- No hook of it is due or out any more.
CREATE OR REPLACE FUNCTION @.hook_clear(INOUT j @.jobs) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF j.flags & 128 <> 0 THEN
        DELETE FROM @.hooks WHERE queue = j.queue AND ended_at = j.ended_at AND key = j.key;
    ELSIF j.flags & 256 <> 0 THEN
        UPDATE @.leases SET hooks = array_remove(hooks, j.key) WHERE j.key = ANY (hooks);
        DELETE FROM @.leases WHERE keys = '{}' AND hooks = '{}';
    END IF;
    j.flags := j.flags & ~384;
END
$$;

-- The job goes from p_from (3: it has left its lease) to p_to. p_attempts is what is added to its count; NULL sets it to 0.
-- Not to COMPLETED: job_complete.
CREATE OR REPLACE FUNCTION @.job_move(INOUT j @.jobs, p_from int, p_to int, p_attempts int, p_now bigint, INOUT f @.follows)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF p_from = 3 THEN
        PERFORM @.run_ended(ARRAY[j.key], p_now);
        j.attempt := j.attempt + 1;
        j.flags := j.flags & ~64;
    ELSE
        PERFORM @.line_leave(j, p_now);
        IF p_from >= 5 THEN
            j := @.hook_clear(j);
            j.error := NULL;
        END IF;
    END IF;
    j.attempt := coalesce(j.attempt + p_attempts, 0);
    j.state := p_to;
    j.ended_at := CASE WHEN p_to >= 5 THEN p_now END;
    UPDATE @.jobs SET run_at = j.run_at, ended_at = j.ended_at, started_at = j.started_at, attempt = j.attempt,
                      flags = j.flags, waits = j.waits, state = j.state, error = j.error, worker = j.worker, asks = j.asks
     WHERE key = j.key;
    PERFORM @.line_enter(j);
    PERFORM @.count_move(j.queue, p_from, p_to, 1);
    IF p_to >= 5 AND j.flags & 1 <> 0 THEN
        PERFORM @.claims_release(ARRAY[j.key], false);
    END IF;
    IF j.flags & 4 <> 0 THEN
        f := @.batch_count(j.batch, p_from, p_to, f);
    END IF;
    IF (p_from >= 4) <> (p_to >= 4) AND j.flags & 12 <> 0 AND NOT j.key = ANY (f.jobs) THEN
        f.jobs := f.jobs || j.key;
    END IF;
END
$$;

-- Attempts of these jobs have ended, whatever comes next.
CREATE OR REPLACE FUNCTION @.run_ended(p_keys bigint[], p_now bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    -- Mostly empty: one look is cheaper than one a job.
    IF EXISTS(SELECT 1 FROM @.progress) THEN
        DELETE FROM @.progress WHERE key = ANY (p_keys);
    END IF;
    IF EXISTS(SELECT 1 FROM @.completions) THEN
        DELETE FROM @.completions WHERE key = ANY (p_keys);
    END IF;
    IF EXISTS(SELECT 1 FROM @.holds) THEN
        PERFORM @.holds_release(p_keys, p_now);
    END IF;
END
$$;

-- A new run-at for a job that waits.
CREATE OR REPLACE FUNCTION @.job_put_off(INOUT j @.jobs, p_run_at bigint, p_now bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_from int := j.state;
BEGIN
    IF v_from <> 0 THEN
        PERFORM @.line_leave(j, p_now);
        j.state := CASE WHEN p_run_at <= p_now THEN 2 ELSE 1 END;
    END IF;
    j.run_at := CASE WHEN v_from <> 0 THEN greatest(p_run_at, p_now) ELSE p_run_at END;
    UPDATE @.jobs SET run_at = j.run_at, state = j.state WHERE key = j.key;
    IF v_from <> 0 THEN
        PERFORM @.line_enter(j);
        IF v_from <> j.state THEN
            PERFORM @.count_move(j.queue, v_from, j.state, 1);
        END IF;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION @.hook_due(INOUT j @.jobs) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    INSERT INTO @.hooks(queue, ended_at, key) VALUES(j.queue, j.ended_at, j.key);
    j.flags := j.flags & ~256 | 128;
    UPDATE @.jobs SET flags = j.flags WHERE key = j.key;
END
$$;

-- Notes an attempt that ended; the last hundred are kept.
CREATE OR REPLACE FUNCTION @.attempt_add(INOUT j @.jobs, o @.outcome, p_kind int, p_worker text) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    INSERT INTO @.attempts(key, n, started_at, ended_at, worker, outcome, cause, exit_code, signal, max_rss_kib, cpu_ms, error, log)
        VALUES(j.key, j.attempt + 1, o.started_at, o.ended_at, p_worker, p_kind, o.cause, o.exit_code, o.signal,
               o.max_rss_kib, o.cpu_ms, o.error, o.log);
    j.flags := j.flags | 512;
    j.started_at := o.started_at;
    IF j.attempt >= 100 OR j.attempt = 0 THEN
        DELETE FROM @.attempts
         WHERE key = j.key AND seq <= (SELECT seq FROM @.attempts WHERE key = j.key ORDER BY key DESC, seq DESC OFFSET 100 LIMIT 1);
    END IF;
END
$$;
