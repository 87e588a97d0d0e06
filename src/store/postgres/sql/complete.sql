-- complete.sql: a handler completes its job inside its own transaction, so that what it did and that it is done become true
-- together.
--
-- Call it last: until the end of the transaction nobody else can end the job. Afterwards the worker settles as always, and
-- whatever it says, or does not live to say, the job is COMPLETED. When the job is no longer this attempt's (the lease was
-- over, and another worker has it or had it), the call is an error, and takes the transaction with it.
CREATE OR REPLACE FUNCTION @.complete(id text, attempt int, result json DEFAULT NULL) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    v_key bigint := @.id_find(complete.id);
    v_token bigint;
BEGIN
    -- Kept from whoever wants to end it, and from nobody else.
    PERFORM 1 FROM @.jobs AS j WHERE j.key = v_key AND j.attempt + 1 = complete.attempt AND j.state = 2 FOR KEY SHARE;
    IF FOUND THEN
        SELECT l.token INTO v_token FROM @.leases AS l WHERE v_key = ANY (l.keys);
    END IF;
    IF v_token IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'ER014',
            MESSAGE = format('job ''%s'' is not running as attempt %s: it was taken away from this worker', complete.id, complete.attempt);
    END IF;
    INSERT INTO @.completions(key, token, result) VALUES(v_key, v_token, convert_to(result::text, 'UTF8'))
        ON CONFLICT ON CONSTRAINT completions_pkey DO UPDATE SET result = excluded.result;
END
$$;

-- It runs with its owner's rights, so these are given to nobody who was not named: see docs/stores/postgres.md.
REVOKE EXECUTE ON FUNCTION @.complete(text, int, json) FROM PUBLIC;
