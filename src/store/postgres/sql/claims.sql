-- claims.sql: unique keys. A claim is taken, renewed and given up in the call whose move causes it.

CREATE OR REPLACE FUNCTION @.until_of(p_now bigint, p_ttl bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_ttl > 0 AND p_ttl < 9223372036854775807 - p_now THEN p_now + p_ttl ELSE 9223372036854775807 END
$$;

-- The key that a job asks for: asks->'u' is [until, ttl, hex].
CREATE OR REPLACE FUNCTION @.key_of(p_asks jsonb) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT decode(p_asks->'u'->>2, 'hex')
$$;

-- Claims it for the job. False: another holds it, whose claim is locked then.
CREATE OR REPLACE FUNCTION @.claim_take(j @.jobs, p_now bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_key bytea := @.key_of(j.asks);
    v_until bigint := @.until_of(p_now, (j.asks->'u'->>1)::bigint);
BEGIN
    INSERT INTO @.claims AS c(key, job, id, until_ms, ends)
        VALUES(v_key, j.key, @.id_text(j.created_at, j.key, j.uid), v_until, (j.asks->'u'->>0)::int)
        ON CONFLICT(key) DO UPDATE SET job = excluded.job, id = excluded.id, until_ms = excluded.until_ms, ends = excluded.ends
            WHERE c.until_ms <= p_now;
    RETURN FOUND;
END
$$;

-- Jobs that ended, or (p_started) whose attempt starts: the keys they hold so long are free.
CREATE OR REPLACE FUNCTION @.claims_release(p_keys bigint[], p_started boolean) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    DELETE FROM @.claims
     WHERE key = ANY (ARRAY(SELECT @.key_of(j.asks) FROM @.jobs AS j WHERE j.key = ANY (p_keys) AND j.flags & 1 <> 0))
       AND job = ANY (p_keys) AND CASE WHEN p_started THEN ends = 2 ELSE ends <> 0 END;
END
$$;

-- For a job that comes back to life: false when another holds its key.
CREATE OR REPLACE FUNCTION @.claim_again(j @.jobs, p_now bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF j.flags & 1 = 0 OR (j.asks->'u'->>0)::int = 0 THEN
        RETURN true;
    END IF;
    RETURN @.claim_take(j, p_now);
END
$$;
