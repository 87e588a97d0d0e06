-- role.sql: what is raised belongs to the owner of what is there, whoever raises it: functions that run with their owner's
-- rights must not become a superuser's because one of those ran 'errand migrate'.
DO $do$
DECLARE
    v_owner name;
    v_is_store boolean;
BEGIN
    SELECT coalesce(c.relowner, n.nspowner)::regrole::text, c.oid IS NOT NULL INTO v_owner, v_is_store
      FROM pg_namespace AS n LEFT JOIN pg_class AS c ON c.oid = to_regclass('@.meta')
     WHERE n.oid = to_regnamespace(trim(trailing '.' FROM '@.'));
    IF v_owner IS NULL OR v_owner = quote_ident(current_user) THEN
        RETURN;
    ELSIF pg_has_role(v_owner::regrole, 'MEMBER') THEN
        EXECUTE format('SET LOCAL ROLE %s', v_owner);
    ELSIF v_is_store THEN
        RAISE EXCEPTION USING ERRCODE = 'ER010', MESSAGE = format('only its owner, the role %s, may', v_owner);
    END IF;
END
$do$
