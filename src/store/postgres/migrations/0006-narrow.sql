-- 0006-narrow.sql: rows of waiting jobs as narrow as they go: columns ordered so that none is padded, pages filled (what is
-- written again is a small part of them).

-- What roles were granted on the tables is granted on those in their place.
CREATE FUNCTION @.grants_copy(p_from regclass, p_to regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    FOR r IN SELECT a.privilege_type AS privilege, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS grantee,
                    CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS further
               FROM pg_class AS c, aclexplode(c.relacl) AS a WHERE c.oid = p_from AND a.grantee <> c.relowner LOOP
        EXECUTE format('GRANT %s ON %s TO %s%s', r.privilege, p_to, r.grantee, r.further);
    END LOOP;
END
$$;

ALTER TABLE @.jobs RENAME TO jobs_wide;
ALTER TABLE @.jobs_wide RENAME CONSTRAINT jobs_pkey TO jobs_wide_pkey;
CREATE TABLE @.jobs(
    key bigint,                     -- order of insertion
    created_at bigint NOT NULL,
    run_at bigint NOT NULL,
    batch bigint,
    ended_at bigint,                -- FAILED and CANCELLED: when
    started_at bigint,              -- of the last attempt that was settled, with worker and error
    priority int NOT NULL,
    attempt int NOT NULL,           -- attempts begun before the present lease
    tries int NOT NULL,
    waits int NOT NULL,             -- edges that are not satisfied
    flags smallint NOT NULL,
    state smallint NOT NULL,
    queue text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    uid text COLLATE "C",           -- the caller's own id; NULL: computed from created_at and key (ids.sql)
    options bytea,
    data bytea,
    error bytea,
    worker text COLLATE "C",
    tags text[],
    asks jsonb                      -- its unique key and its limits: asks.sql
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
INSERT INTO @.jobs(key, created_at, run_at, batch, ended_at, started_at, priority, attempt, tries, waits, flags, state, queue, name,
                   uid, options, data, error, worker, tags, asks)
    SELECT key, created_at, run_at, batch, ended_at, started_at, priority, attempt, tries, waits, flags, state, queue, name,
           uid, options, data, error, worker, tags, asks
      FROM @.jobs_wide ORDER BY key;
SELECT @.grants_copy('@.jobs_wide', '@.jobs');
DROP TABLE @.jobs_wide;
ALTER TABLE @.jobs ADD CONSTRAINT jobs_pkey PRIMARY KEY (key) WITH (fillfactor = 100);

ALTER TABLE @.ready RENAME TO ready_wide;
ALTER TABLE @.ready_wide RENAME CONSTRAINT ready_pkey TO ready_wide_pkey;
CREATE TABLE @.ready(
    run_at bigint NOT NULL,
    key bigint NOT NULL,
    priority int NOT NULL,
    flags int NOT NULL,             -- of the job, so that reserve knows without looking
    queue text COLLATE "C" NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
INSERT INTO @.ready(run_at, key, priority, flags, queue)
    SELECT run_at, key, priority, flags, queue FROM @.ready_wide ORDER BY queue, priority, run_at, key;
SELECT @.grants_copy('@.ready_wide', '@.ready');
DROP TABLE @.ready_wide;
ALTER TABLE @.ready ADD CONSTRAINT ready_pkey PRIMARY KEY (queue, priority, run_at, key) WITH (fillfactor = 100);

DROP FUNCTION @.grants_copy(regclass, regclass);
