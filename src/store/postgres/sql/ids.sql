-- ids.sql: the public id of a job is computed from its number, so that no index of ids is kept.
--
-- A UUIDv7: 48 bits creation time, version, 12 bits salt of the store, variant, 42 bits number, 20 bits salt. Ids that a
-- caller chose are in uids. rows.c computes the same.

CREATE OR REPLACE FUNCTION @.id_of(p_created bigint, p_key bigint, p_salt bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT substr(lpad(to_hex(p_created), 12, '0'), 1, 8) || '-' || substr(lpad(to_hex(p_created), 12, '0'), 9, 4)
           || '-7' || lpad(to_hex(p_salt >> 20), 3, '0')
           || '-' || substr(to_hex((p_key << 20 | (p_salt & 1048575)) | (-9223372036854775807 - 1)), 1, 4)
           || '-' || substr(to_hex((p_key << 20 | (p_salt & 1048575)) | (-9223372036854775807 - 1)), 5, 12)
$$;

CREATE OR REPLACE FUNCTION @.id_text(p_created bigint, p_key bigint, p_uid text) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_salt bigint;
BEGIN
    IF p_uid IS NOT NULL THEN
        RETURN p_uid;
    END IF;
    -- Not as an argument: a function whose argument is a query is not inlined, and takes 150 µs then.
    SELECT salt INTO v_salt FROM @.root;
    RETURN @.id_of(p_created, p_key, v_salt);
END
$$;

-- The number of a job that is known, living or completed, or NULL.
CREATE OR REPLACE FUNCTION @.id_find(p_id text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_hex text;
    v_key bigint;
    v_created bigint;
    v_found bigint;
BEGIN
    IF p_id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' THEN
        v_hex := replace(p_id, '-', '');
        v_created := ('x0000' || substr(v_hex, 1, 12))::bit(64)::bigint;
        v_key := (('x' || substr(v_hex, 17, 16))::bit(64)::bigint & 4611686018427387903) >> 20;
        -- One that has an id of its own is not known by the one we would have computed.
        SELECT key INTO v_found FROM @.jobs WHERE key = v_key AND created_at = v_created AND uid IS NULL;
        IF NOT FOUND THEN
            SELECT key INTO v_found FROM @.history WHERE key = v_key AND created_at = v_created AND uid IS NULL;
        END IF;
        IF v_found IS NOT NULL AND @.id_text(v_created, v_key, NULL) = p_id THEN
            RETURN v_found;
        END IF;
    END IF;
    SELECT key INTO v_found FROM @.uids WHERE uid = p_id;
    RETURN v_found;
END
$$;
