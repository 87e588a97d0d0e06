-- places.sql: where a job stands: in a line of its queue, at a limit, under a lease, or among those that have ended.
--
-- Who changes a job locks its row in jobs first. A READY job is whoever's has its row in ready or parked: reserve takes that
-- row and never the job's.

CREATE OR REPLACE FUNCTION @.line_enter(j @.jobs) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF j.state = 2 THEN
        INSERT INTO @.ready(queue, priority, run_at, key, flags) VALUES(j.queue, j.priority, j.run_at, j.key, j.flags);
        PERFORM @.marks_lower(j.queue, j.priority, j.run_at, j.key);
    ELSIF j.state = 1 THEN
        INSERT INTO @.scheduled(queue, run_at, key, priority) VALUES(j.queue, j.run_at, j.key, j.priority);
    ELSIF j.state >= 5 THEN
        INSERT INTO @.finished(state, queue, ended_at, key) VALUES(j.state, j.queue, j.ended_at, j.key);
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION @.line_leave(j @.jobs, p_now bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF j.state = 2 THEN
        DELETE FROM @.ready WHERE queue = j.queue AND priority = j.priority AND run_at = j.run_at AND key = j.key;
        IF FOUND THEN
            PERFORM @.limits_offer(j, p_now);
        ELSE
            PERFORM @.parked_leave(j.key);
        END IF;
    ELSIF j.state = 1 THEN
        DELETE FROM @.scheduled WHERE queue = j.queue AND run_at = j.run_at AND key = j.key;
    ELSIF j.state >= 5 THEN
        DELETE FROM @.finished WHERE state = j.state AND queue = j.queue AND ended_at = j.ended_at AND key = j.key;
    END IF;
END
$$;

-- The state of a job whose row is locked: 3 when it is under a lease. One that is READY stays so until the end of the
-- transaction: its place is locked.
CREATE OR REPLACE FUNCTION @.state_of(j @.jobs) RETURNS int LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF j.state <> 2 THEN
        RETURN j.state;
    END IF;
    PERFORM 1 FROM @.ready WHERE queue = j.queue AND priority = j.priority AND run_at = j.run_at AND key = j.key FOR UPDATE;
    IF FOUND THEN
        RETURN 2;
    END IF;
    PERFORM 1 FROM @.parked WHERE key = j.key FOR UPDATE;
    IF FOUND THEN
        RETURN 2;
    END IF;
    RETURN 3;
END
$$;

CREATE OR REPLACE FUNCTION @.job_lock(p_key bigint) RETURNS @.jobs LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    j @.jobs;
BEGIN
    SELECT * INTO j FROM @.jobs WHERE key = p_key FOR UPDATE;
    RETURN j;
END
$$;
