-- locks.sql: named locks with an owner, an end (on the lease clock) and a token that grows.

CREATE OR REPLACE FUNCTION @.lock(p_now bigint, p_key bytea, p_owner text, p_ttl bigint,
                         OUT token bigint, OUT until_ms bigint, OUT owner text) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    now constant bigint := @.lease_now(p_now);
BEGIN
    LOOP
        INSERT INTO @.locks AS l(key, owner, token, until_ms)
        VALUES(p_key, p_owner, nextval('@.tokens'), now + p_ttl)
            ON CONFLICT(key) DO UPDATE
           SET owner = excluded.owner, until_ms = excluded.until_ms,
               token = CASE WHEN l.until_ms > now THEN l.token ELSE excluded.token END
         WHERE l.owner = excluded.owner OR l.until_ms <= now
     RETURNING l.token, l.until_ms, l.owner INTO token, until_ms, owner;
        EXIT WHEN FOUND;
        SELECT 0, l.until_ms, l.owner INTO token, until_ms, owner FROM @.locks AS l WHERE l.key = p_key;
        EXIT WHEN FOUND; -- else it was let go between the two
    END LOOP;
    until_ms := until_ms - now + @.now_ms(p_now);
END $$;

-- NULL: done; '': the lock is over; else who holds it.
CREATE OR REPLACE FUNCTION @.unlock(p_now bigint, p_key bytea, p_owner text, p_token bigint) RETURNS text LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    now constant bigint := @.lease_now(p_now);
    holder text;
BEGIN
    DELETE FROM @.locks WHERE key = p_key AND owner = p_owner AND token = p_token AND until_ms > now;
    IF FOUND THEN
        RETURN NULL;
    END IF;
    SELECT owner INTO holder FROM @.locks WHERE key = p_key AND until_ms > now;
    RETURN coalesce(holder, '');
END $$;
