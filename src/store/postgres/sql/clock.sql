-- clock.sql: wall time, and the clock of leases.
--
-- The server has wall clocks only, and somebody may set one. The lease clock goes on by what the wall clock has gone on
-- since the root was last touched, but never back, and by five seconds at most: who works touches the root once a second,
-- so a step of the wall clock moves it by five seconds forward, and backward not at all.

CREATE OR REPLACE FUNCTION @.clock_ms() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
$$;

-- The wall clock: p_now, the time a test gives, or (0) the server's.
CREATE OR REPLACE FUNCTION @.now_ms(p_now bigint) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT CASE WHEN p_now <> 0 THEN p_now ELSE @.clock_ms() END
$$;

-- p_now: the time a test gives, which stands for both clocks; else 0.
CREATE OR REPLACE FUNCTION @.lease_now(p_now bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_wall bigint := @.clock_ms();
    v_since bigint;
    v_lease bigint;
BEGIN
    IF p_now <> 0 THEN
        RETURN p_now;
    END IF;
    SELECT v_wall - wall_ms, lease_ms INTO v_since, v_lease FROM @.root;
    IF v_since BETWEEN 0 AND 999 THEN
        RETURN v_lease + v_since;
    END IF;
    -- Somebody else who touches it just now does it for us.
    PERFORM 1 FROM @.root WHERE wall_ms + v_since = v_wall FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
        UPDATE @.root SET lease_ms = lease_ms + least(greatest(v_since, 0), 5000), wall_ms = v_wall;
    END IF;
    RETURN v_lease + least(greatest(v_since, 0), 5000);
END
$$;

-- One lock for all that follows from rule to rule: edges, batches, limits, and the keys of jobs that are there. It ends
-- with the transaction. Taken before anything else is locked, it keeps two calls from waiting for each other.
CREATE OR REPLACE FUNCTION @.rules_lock() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('errand rules @.', 0));
END
$$;
