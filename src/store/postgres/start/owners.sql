-- owners.sql: what of the schema belongs to somebody who is not to be trusted with our rights. No row is good.
--
-- Nearly all functions run with the rights of who calls them, so whoever owns one, or can put one that fits better beside it,
-- can do what we can. Trusted are ourselves, roles we were made a member of (being a superuser is not that), superusers, the owner of the
-- database unless we are a superuser, and the role that ?owner= names. errand.owner is set by the same script.
WITH RECURSIVE me AS (SELECT r.oid, r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user),
     mine(oid) AS (
        SELECT oid FROM me
        UNION SELECT m.roleid FROM mine JOIN pg_auth_members AS m ON m.member = mine.oid),
     trusted AS (
        SELECT oid FROM mine
        UNION SELECT oid FROM pg_roles WHERE rolsuper OR rolname = current_setting('errand.owner')
        UNION SELECT unnest(ARRAY[d.datdba, 'pg_database_owner'::regrole])
                FROM pg_database AS d, me WHERE d.datname = current_database() AND NOT me.rolsuper),
     place AS (SELECT n.* FROM pg_namespace AS n WHERE n.oid = to_regnamespace(trim(trailing '.' FROM '@.'))),
     things(what, owner, remedy) AS (
        SELECT format('schema ''%s''', nspname), nspowner, 0 FROM place
        UNION ALL
        SELECT format('the function %s', p.oid::regprocedure), p.proowner, 0
          FROM pg_proc AS p JOIN place ON place.oid = p.pronamespace
        UNION ALL
        SELECT format('%s ''%s''', CASE WHEN c.relkind IN ('r', 'p') THEN 'the table' ELSE 'the relation' END, c.oid::regclass), c.relowner, 0
          FROM pg_class AS c JOIN place ON place.oid = c.relnamespace
        UNION ALL
        SELECT format('the type ''%s''', t.oid::regtype), t.typowner, 0 FROM pg_type AS t JOIN place ON place.oid = t.typnamespace
        UNION ALL
        SELECT format('the function %s of a trigger on ''%s''', p.oid::regprocedure, c.oid::regclass), p.proowner, 0
          FROM pg_class AS c JOIN place ON place.oid = c.relnamespace
               JOIN pg_trigger AS g ON g.tgrelid = c.oid AND NOT g.tgisinternal JOIN pg_proc AS p ON p.oid = g.tgfoid
        UNION ALL
        SELECT format('schema ''%s''', nspname), a.grantee, 1 FROM place, aclexplode(place.nspacl) AS a WHERE a.privilege_type = 'CREATE')
SELECT t.what, coalesce(r.rolname, CASE WHEN t.owner = 0 THEN 'PUBLIC' ELSE 'a role that is gone' END), t.remedy
  FROM things AS t LEFT JOIN pg_roles AS r ON r.oid = t.owner
 WHERE t.owner NOT IN (SELECT oid FROM trusted)
 LIMIT 1
