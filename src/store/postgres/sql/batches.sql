-- batches.sql: looking at batches. Their counts are changed by the calls that move the members.

CREATE OR REPLACE FUNCTION @.batch_get(p_id text) RETURNS SETOF @.batches LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
    SELECT * FROM @.batches WHERE uid = p_id
$$;

-- Newest first. One row with key NULL: there is no batch to go on behind.
CREATE OR REPLACE FUNCTION @.batches_look(p_after text, p_max bigint) RETURNS SETOF @.batches LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    after bigint := 9223372036854775807;
BEGIN
    IF p_after <> '' THEN
        SELECT key INTO after FROM @.batches WHERE uid = p_after;
        IF NOT FOUND THEN
            RETURN NEXT NULL;
            RETURN;
        END IF;
    END IF;
    RETURN QUERY SELECT * FROM @.batches WHERE key < after ORDER BY key DESC LIMIT p_max;
END $$;
