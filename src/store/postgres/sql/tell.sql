-- tell.sql: what happens is told while somebody follows.
--
-- A row of told has no number yet: numbers that grow by one, given by writers, would make every commit wait for the one
-- before. Who reads gives them, to what is visible then, and what is visible is in the order of cause and effect.
CREATE OR REPLACE FUNCTION @.tell(p_at bigint, p_type text, p_id text, p_name text, p_queue text, p_attempt int,
                         p_duration bigint, p_delay bigint, p_error bytea) RETURNS void LANGUAGE sql AS $$
    INSERT INTO @.told(at_ms, type, id, name, queue, attempt, duration_ms, delay_ms, error)
    VALUES(p_at, p_type, p_id, p_name, p_queue, p_attempt, p_duration, p_delay, p_error)
$$;

CREATE OR REPLACE FUNCTION @.is_followed(p_now bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT follow_until > p_now FROM @.root
$$;
