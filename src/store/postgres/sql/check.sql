-- check.sql: does everything fit together? Each function answers sentences, one for what is wrong; of one snapshot, so
-- that nobody need stop for it. It reads everything, so it may use every plan.

CREATE OR REPLACE FUNCTION @.check_running() RETURNS TABLE(key bigint, token bigint, is_hook boolean) LANGUAGE sql STABLE AS $$
    SELECT k, l.token, false FROM @.leases AS l, unnest(l.keys) AS k
    UNION ALL
    SELECT k, l.token, true FROM @.leases AS l, unnest(l.hooks) AS k
$$;

-- Where a job is, against where it should be.
CREATE OR REPLACE FUNCTION @.check_places() RETURNS SETOF text LANGUAGE sql STABLE AS $$
    WITH places AS (
        SELECT key, 'in the ready line' AS place, 2 AS state, queue, priority, run_at FROM @.ready
        UNION ALL
        SELECT key, 'parked', 2, queue, priority, run_at FROM @.parked
        UNION ALL
        SELECT key, 'scheduled', 1, queue, priority, run_at FROM @.scheduled
        UNION ALL
        SELECT key, 'under lease ' || token, 2, NULL, NULL, NULL FROM @.check_running() WHERE NOT is_hook
    )
    SELECT format('job %s is %s and is not in that state or has another place', p.key, p.place)
      FROM places AS p LEFT JOIN @.jobs AS j ON j.key = p.key
     WHERE j.key IS NULL OR j.state <> p.state OR j.queue <> p.queue OR j.priority <> p.priority OR j.run_at <> p.run_at
    UNION ALL
    SELECT format('job %s is in %s places: %s', key, count(*), string_agg(place, ', ' ORDER BY place))
      FROM places GROUP BY key HAVING count(*) > 1
    UNION ALL
    SELECT format('job %s is %s and in no place for that', j.key, CASE j.state WHEN 1 THEN 'scheduled' ELSE 'ready or running' END)
      FROM @.jobs AS j WHERE j.state IN (1, 2) AND NOT EXISTS(SELECT 1 FROM places AS p WHERE p.key = j.key)
    UNION ALL
    SELECT format('job %s stands below the mark of its line, where no reserve looks', r.key)
      FROM @.ready AS r JOIN @.marks AS m USING (queue, priority) WHERE (r.run_at, r.key) < (m.run_at, m.key)
    UNION ALL
    SELECT format('job %s is both living and completed', h.key) FROM @.history AS h JOIN @.jobs AS j ON j.key = h.key
    UNION ALL
    SELECT format('job %s has state %s', key, state) FROM @.jobs WHERE state NOT IN (0, 1, 2, 5, 6)
$$;

-- Those that have ended, and their hooks.
CREATE OR REPLACE FUNCTION @.check_ended() RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT format('job %s has ended and is not listed', j.key)
      FROM @.jobs AS j LEFT JOIN @.finished AS f ON f.key = j.key AND f.state = j.state AND f.queue = j.queue AND f.ended_at = j.ended_at
     WHERE j.state IN (5, 6) AND f.key IS NULL
    UNION ALL
    SELECT format('job %s is listed as ended and is not', f.key)
      FROM @.finished AS f LEFT JOIN @.jobs AS j ON j.key = f.key AND j.state = f.state WHERE j.key IS NULL
    UNION ALL
    SELECT format('job %s has not ended and ended at %s', key, ended_at) FROM @.jobs WHERE state < 5 AND ended_at > 0
    UNION ALL
    SELECT format('job %s has a hook due and has not failed', h.key)
      FROM (SELECT key FROM @.hooks UNION ALL SELECT key FROM @.check_running() WHERE is_hook) AS h
      LEFT JOIN @.jobs AS j ON j.key = h.key AND j.state = 5
     WHERE j.key IS NULL
$$;

CREATE OR REPLACE FUNCTION @.check_counts() RETURNS SETOF text LANGUAGE sql STABLE AS $$
    WITH running AS (
        SELECT key FROM @.check_running() WHERE NOT is_hook
    ), there AS (
        SELECT j.queue, CASE WHEN r.key IS NULL THEN j.state ELSE 3 END AS state, count(*) AS n
          FROM @.jobs AS j LEFT JOIN running AS r ON r.key = j.key GROUP BY 1, 2
        UNION ALL
        SELECT queue, 4, count(*) FROM @.history GROUP BY queue
    ), counted AS (
        SELECT queue, s.state, sum(s.n) AS n
          FROM @.counts AS c, LATERAL (VALUES(0, held), (1, scheduled), (2, ready), (3, running), (4, completed), (5, failed),
                                       (6, cancelled)) AS s(state, n)
         GROUP BY 1, 2
    )
    SELECT format('queue %L counts %s %s jobs and has %s', queue, coalesce(c.n, 0),
                  (ARRAY['held', 'scheduled', 'ready', 'running', 'completed', 'failed', 'cancelled'])[state + 1], coalesce(t.n, 0))
      FROM counted AS c FULL JOIN there AS t USING (queue, state)
     WHERE coalesce(c.n, 0) <> coalesce(t.n, 0)
$$;

CREATE OR REPLACE FUNCTION @.check_edges() RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT format('job %s waits for %s others and counts %s', j.key, coalesce(e.n, 0), j.waits)
      FROM @.jobs AS j
      LEFT JOIN (SELECT child, count(*) AS n FROM @.edges WHERE state <> 1 GROUP BY child) AS e ON e.child = j.key
     WHERE coalesce(e.n, 0) <> j.waits
    UNION ALL
    SELECT format('job %s is held and waits for nobody', key) FROM @.jobs WHERE state = 0 AND waits = 0
    UNION ALL
    SELECT format('job %s waits for others and is not held', key) FROM @.jobs WHERE state NOT IN (0, 6) AND waits > 0
    UNION ALL
    SELECT format('job %s waits for %s %s, which has ended', e.child, CASE WHEN e.is_batch THEN 'batch' ELSE 'job' END, e.parent)
      FROM @.edges AS e
     WHERE e.state = 0
       AND (CASE WHEN e.is_batch THEN EXISTS(SELECT 1 FROM @.batches AS b WHERE b.key = e.parent AND b.ended_at = 0)
                 ELSE EXISTS(SELECT 1 FROM @.jobs AS j WHERE j.key = e.parent AND j.state <= 2) END) IS FALSE
$$;

CREATE OR REPLACE FUNCTION @.check_batches() RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT format('batch %L counts %s unfinished members and has %s', b.uid, b.pending, coalesce(m.n, 0))
      FROM @.batches AS b
      LEFT JOIN (SELECT m.batch, count(*) AS n FROM @.members AS m JOIN @.jobs AS j ON j.key = m.key AND j.state <= 2
                  GROUP BY m.batch) AS m ON m.batch = b.key
     WHERE b.pending <> coalesce(m.n, 0)
    UNION ALL
    SELECT format('batch %L has %s unfinished members and ended at %s', uid, pending, ended_at)
      FROM @.batches WHERE (pending = 0) <> (ended_at <> 0)
    UNION ALL
    SELECT format('batch %L has more members in its counts than in all', uid)
      FROM @.batches WHERE failed + cancelled + pending > total
    UNION ALL
    SELECT format('job %s is a member of batch %s and is not among its members', j.key, j.batch)
      FROM (SELECT key, batch FROM @.jobs UNION ALL SELECT key, batch FROM @.history) AS j
     WHERE j.batch IS NOT NULL AND NOT EXISTS(SELECT 1 FROM @.members AS m WHERE m.batch = j.batch AND m.key = j.key)
    UNION ALL
    SELECT format('member %s of batch %s is not there', m.key, m.batch)
      FROM @.members AS m
     WHERE NOT EXISTS(SELECT 1 FROM @.jobs AS j WHERE j.key = m.key) AND NOT EXISTS(SELECT 1 FROM @.history AS h WHERE h.key = m.key)
$$;

CREATE OR REPLACE FUNCTION @.check_limits() RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT format('bucket %s of limit %L counts %s running jobs and has %s', b.id, b.name, b.running, coalesce(h.n, 0))
      FROM @.buckets AS b
      LEFT JOIN (SELECT bucket, count(*) AS n FROM @.holds GROUP BY bucket) AS h ON h.bucket = b.id
     WHERE b.running <> coalesce(h.n, 0)
    UNION ALL
    SELECT format('job %s counts as running in bucket %s and does not run', h.job, h.bucket)
      FROM @.holds AS h WHERE NOT EXISTS(SELECT 1 FROM @.check_running() AS r WHERE r.key = h.job AND NOT r.is_hook)
    UNION ALL
    SELECT format('job %s is parked in a line that is not there', p.key)
      FROM @.parked AS p WHERE NOT EXISTS(SELECT 1 FROM @.lines AS l WHERE l.id = p.line)
$$;

-- What belongs to a job that is not there, and keys and ids that lead to another.
CREATE OR REPLACE FUNCTION @.check_beside() RETURNS SETOF text LANGUAGE sql STABLE AS $$
    WITH known AS (
        SELECT key, uid, false AS has_ended FROM @.jobs UNION ALL SELECT key, uid, true FROM @.history
    )
    SELECT format('%s belong%s to job %s, which is not there', o.what, CASE WHEN o.what = 'attempts' THEN '' ELSE 's' END, o.key)
      FROM (SELECT DISTINCT key, 'attempts' AS what FROM @.attempts
            UNION ALL SELECT key, 'a progress' FROM @.progress
            UNION ALL SELECT job, 'a unique key' FROM @.claims WHERE job IS NOT NULL
            UNION ALL SELECT child, 'an edge' FROM @.edges
            UNION ALL SELECT parent, 'an edge' FROM @.edges WHERE NOT is_batch) AS o
     WHERE NOT EXISTS(SELECT 1 FROM known AS k WHERE k.key = o.key)
    UNION ALL
    SELECT format('id %L leads to job %s, which has another', u.uid, u.key)
      FROM @.uids AS u LEFT JOIN known AS k ON k.key = u.key WHERE k.uid IS DISTINCT FROM u.uid
    UNION ALL
    SELECT format('job %s cannot be found by its id %L', k.key, k.uid)
      FROM known AS k LEFT JOIN @.uids AS u ON u.uid = k.uid WHERE k.uid IS NOT NULL AND u.key IS DISTINCT FROM k.key
$$;

CREATE OR REPLACE FUNCTION @.check_all(p_max bigint) RETURNS SETOF text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off AS $$
    SELECT * FROM (
        SELECT @.check_places() AS finding
        UNION ALL SELECT @.check_ended()
        UNION ALL SELECT @.check_counts()
        UNION ALL SELECT @.check_edges()
        UNION ALL SELECT @.check_batches()
        UNION ALL SELECT @.check_limits()
        UNION ALL SELECT @.check_beside()) AS found
     LIMIT p_max
$$;
