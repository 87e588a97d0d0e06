-- upkeep.sql: the tables that every job writes are kept small: settings.sql asks autovacuum to come early, a worker
-- vacuums them itself while it is busy, and whoever keeps both from working is named.

-- Those that are worth a VACUUM now, as quoted names. One caller every p_every ms is told, and only of what its role
-- may vacuum.
CREATE OR REPLACE FUNCTION @.vacuum_due(p_every bigint, p_dead bigint) RETURNS SETOF text LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    now constant bigint := @.now_ms(0);
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE @.upkeep SET vacuumed_ms = now WHERE vacuumed_ms NOT BETWEEN now - p_every AND now;
    IF FOUND THEN
        RETURN QUERY SELECT c.oid::regclass::text FROM pg_class AS c
                      WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = '@.root'::regclass) AND c.relkind = 'r'
                        AND pg_stat_get_dead_tuples(c.oid) >= p_dead AND pg_has_role(c.relowner, 'USAGE');
    END IF;
END $$;

-- Who holds back what VACUUM may remove: an old snapshot of this database, a prepared transaction, a replication slot.
-- When a session of another role began is not for everybody to see; how many transactions ago is. A sentence stays the same
-- as long as it is true: who says them each minute says each once.
CREATE OR REPLACE FUNCTION @.vacuum_holders(p_ms bigint, p_xids bigint) RETURNS TABLE(text text, remedy text) LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('the session with pid %s (user %s%s%s) has a transaction open %s: until it ends, rows that are gone cannot be '
                  'cleared away, and the store grows', a.pid, coalesce(a.usename, '?'),
                  CASE WHEN a.application_name <> '' THEN ', ' || a.application_name END,
                  CASE WHEN a.state LIKE 'idle%' THEN ', ' || a.state END,
                  coalesce('since ' || to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC'), 'for long')),
           format('end its transaction, or SELECT pg_terminate_backend(%s)', a.pid)
      FROM pg_stat_activity AS a
     WHERE (a.datname = current_database() AND a.backend_type = 'client backend' OR a.backend_type = 'walsender')
       AND coalesce(a.backend_xmin, a.backend_xid) IS NOT NULL AND a.pid <> pg_backend_pid()
       AND (a.xact_start < clock_timestamp() - p_ms * interval '1 ms'
            OR (a.xact_start IS NULL AND age(coalesce(a.backend_xmin, a.backend_xid)) > p_xids))
    UNION ALL
    SELECT format('the prepared transaction %L of %s stands since %s: until it ends, rows that are gone cannot be cleared away',
                  p.gid, p.owner, to_char(p.prepared AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC')),
           format('COMMIT PREPARED or ROLLBACK PREPARED %L', p.gid)
      FROM pg_prepared_xacts AS p
     WHERE p.database = current_database() AND p.prepared < clock_timestamp() - p_ms * interval '1 ms'
    UNION ALL
    SELECT format('the reader of the replication slot %L is far behind: until it comes, rows that are gone cannot be cleared '
                  'away', r.slot_name),
           'start its reader, or drop the slot'
      FROM pg_replication_slots AS r
     WHERE age(r.xmin) > p_xids
$$;

CREATE OR REPLACE FUNCTION @.remarks(p_ms bigint, p_xids bigint) RETURNS TABLE(text text, remedy text) LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'fsync is off: loss of power, or a crash of the machine, loses jobs that were accepted, or the whole database',
           'fsync = on in postgresql.conf'
     WHERE current_setting('fsync') = 'off'
    UNION ALL
    SELECT 'full_page_writes is off: after loss of power the database may be broken', 'full_page_writes = on in postgresql.conf'
     WHERE current_setting('full_page_writes') = 'off'
    UNION ALL
    SELECT 'synchronous_commit is off for this role: what an application dispatches in a transaction of its own may be lost when the '
           'server crashes', 'synchronous_commit = on, in postgresql.conf or for the role'
      FROM pg_settings WHERE name = 'synchronous_commit' AND reset_val = 'off'
    UNION ALL
    SELECT 'autovacuum is off: the store grows without end', 'autovacuum = on in postgresql.conf'
     WHERE current_setting('autovacuum') = 'off'
    UNION ALL
    SELECT * FROM @.vacuum_holders(p_ms, p_xids)
$$;
