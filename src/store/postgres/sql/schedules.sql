-- schedules.sql: schedules and their slots.

CREATE OR REPLACE FUNCTION @.schedule_put(p_name text, p_spec bytea, p_paused boolean, p_next bigint) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
BEGIN
    INSERT INTO @.schedules(name, spec, paused, next_ms) VALUES(p_name, p_spec, p_paused, p_next)
        ON CONFLICT(name) DO UPDATE SET spec = excluded.spec, next_ms = excluded.next_ms;
    PERFORM @.wake(16, true);
END $$;

CREATE OR REPLACE FUNCTION @.schedule_delete(p_name text) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
BEGIN
    DELETE FROM @.schedules WHERE name = p_name;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM @.wake(16, true);
    RETURN true;
END $$;

CREATE OR REPLACE FUNCTION @.schedule_pause(p_name text, p_paused boolean) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
BEGIN
    UPDATE @.schedules SET paused = p_paused WHERE name = p_name;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM @.wake(16, true);
    RETURN true;
END $$;

CREATE OR REPLACE FUNCTION @.schedules_look() RETURNS SETOF @.schedules LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
    SELECT * FROM @.schedules ORDER BY name
$$;
