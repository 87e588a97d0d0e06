-- definitions.sql: what the owners of jobs say about them.

-- In the order of keys, so that two who define the same at once wait for each other and do not block each other; of
-- one key twice the last counts.
CREATE OR REPLACE FUNCTION @.define(p_now bigint, p_name text[], p_key text[], p_spec bytea[]) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
    INSERT INTO @.definitions(name, key, spec, updated_ms)
    SELECT DISTINCT ON (key COLLATE "C") name, key, spec, @.now_ms(p_now)
      FROM unnest(p_name, p_key, p_spec) WITH ORDINALITY AS d(name, key, spec, i)
     ORDER BY key COLLATE "C", i DESC
        ON CONFLICT(key) DO UPDATE SET name = excluded.name, spec = excluded.spec, updated_ms = excluded.updated_ms
$$;

CREATE OR REPLACE FUNCTION @.definitions_look(p_key text) RETURNS SETOF @.definitions LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
    SELECT * FROM @.definitions WHERE p_key IS NULL OR key = p_key ORDER BY key
$$;
