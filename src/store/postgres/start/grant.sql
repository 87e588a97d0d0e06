-- grant.sql: after the functions were made: which they are is noted for the next errand, and who might call one of that name
-- may call it again. What PUBLIC was given by name is not given again: some are for nobody who was not named.
DO $do$
DECLARE
    r record;
    a record;
BEGIN
    INSERT INTO @.meta(key, value)
    SELECT 'functions_made', jsonb_agg(p.oid::regprocedure::text ORDER BY p.oid)
      FROM pg_proc AS p
     WHERE p.pronamespace = to_regnamespace(trim(trailing '.' FROM '@.')) AND p.xmin = pg_current_xact_id()::xid
        ON CONFLICT(key) DO UPDATE SET value = excluded.value;
    FOR r IN SELECT p.oid::regprocedure AS function, p.proowner, (g.value->>'acl')::aclitem[] AS acl
               FROM pg_proc AS p JOIN jsonb_array_elements((SELECT value::jsonb FROM @.meta WHERE key = 'functions_granted')) AS g
                    ON g.value->>'name' = p.proname
              WHERE p.pronamespace = to_regnamespace(trim(trailing '.' FROM '@.')) AND p.xmin = pg_current_xact_id()::xid
    LOOP
        IF NOT EXISTS(SELECT 1 FROM aclexplode(r.acl) AS x WHERE x.grantee = 0) THEN
            EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', r.function);
        END IF;
        FOR a IN SELECT x.grantee::regrole AS role, x.is_grantable FROM aclexplode(r.acl) AS x
                  WHERE x.grantee NOT IN (0, r.proowner) LOOP
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s%s', r.function, a.role,
                           CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END);
        END LOOP;
    END LOOP;
    DELETE FROM @.meta WHERE key = 'functions_granted';
END
$do$
