-- drop.sql: the functions of another errand go before ours are made, whatever their parameters and answers were; tables and types
-- that they name may change then, too. Those that somebody else has put into the schema stay.
--
-- What was made is noted in meta (grant.sql); a store from before that was so has functions of the names that errand.names
-- lists, where dispatch and complete are as they are now. One that something of the application's depends on (a view, a
-- default) stays and is replaced in its place.
DO $do$
DECLARE
    v_made jsonb := (SELECT value FROM @.meta WHERE key = 'functions_made');
    v_granted jsonb := '[]';
    r record;
BEGIN
    FOR r IN SELECT p.oid::regprocedure AS function, p.proname, p.proacl
               FROM pg_proc AS p
              WHERE p.pronamespace = to_regnamespace(trim(trailing '.' FROM '@.')) AND p.prokind = 'f'
                AND CASE WHEN v_made IS NULL THEN p.proname = ANY (current_setting('errand.names')::name[]) AND NOT p.prosecdef
                         ELSE v_made ? p.oid::regprocedure::text END
    LOOP
        IF r.proacl IS NOT NULL THEN
            v_granted := v_granted || jsonb_build_object('name', r.proname, 'acl', r.proacl::text);
        END IF;
        BEGIN
            EXECUTE format('DROP FUNCTION %s', r.function);
        EXCEPTION WHEN dependent_objects_still_exist THEN
            NULL;
        END;
    END LOOP;
    INSERT INTO @.meta(key, value) VALUES('functions_granted', v_granted)
        ON CONFLICT(key) DO UPDATE SET value = excluded.value;
END
$do$
