-- 0001-tables.sql: jobs and what moves them. Append-only: a change is a new file.
--
-- @ stands for the schema. Times are milliseconds since 1970 UTC; numbers of states, kinds and flags are those of
-- errand/driver.h and flags.h. What the hot path writes: jobs at push and at the end, ready, one row of leases for
-- all jobs of one reserve, one row of counts a call and queue. Everything else is touched only for a job whose flags
-- say so.
--
-- A push may be part of an application's transaction that stays open for minutes: it inserts, and takes no lock on a
-- row that others want, but where it has to (a parent that has not ended, a batch that is there, a key that is held).

CREATE TABLE @.meta(key text PRIMARY KEY, value text NOT NULL);

-- The root of the store. lease_ms: the lease clock when the wall clock said wall_ms (clock.sql).
CREATE TABLE @.root(
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    control bigint NOT NULL DEFAULT 0,          -- grows with every command and cancel
    follow_until bigint NOT NULL DEFAULT 0,     -- somebody follows the events so long
    salt bigint NOT NULL,                       -- tells ids of this store from those of others: 32 bits
    wall_ms bigint NOT NULL,
    lease_ms bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO @.root(salt, wall_ms, lease_ms)
    SELECT floor(random() * 4294967296)::bigint, ms, ms
      FROM (SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms) AS now;

CREATE SEQUENCE @.job_keys MAXVALUE 4398046511103;     -- 42 bits, see ids.sql
CREATE SEQUENCE @.tokens;                               -- of leases and locks

-- Flags of a job:
--    1 has a unique key        2 has limits of its own     4 is a member of a batch      8 others wait for it
--   16 it waited for others   32 has a `failed` hook      64 is to be cancelled (runs)  128 its hook is due
--  256 its hook is out       512 has rows in attempts
-- What settles or reserves looks no further where none of those that matter to it is set.

-- A job that has not completed. Reserving never writes it: RUNNING is "named by a lease".
-- state: 0 held, 1 scheduled, 2 ready or running, 5 failed, 6 cancelled.
CREATE TABLE @.jobs(
    key bigint PRIMARY KEY,         -- order of insertion
    created_at bigint NOT NULL,
    run_at bigint NOT NULL,
    batch bigint,
    ended_at bigint,                -- FAILED and CANCELLED: when
    started_at bigint,              -- of the last attempt that was settled, with worker and error
    priority int NOT NULL,
    attempt int NOT NULL,           -- attempts begun before the present lease
    tries int NOT NULL,
    flags int NOT NULL,
    waits int NOT NULL,             -- edges that are not satisfied
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
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE @.ready(
    queue text COLLATE "C" NOT NULL,
    priority int NOT NULL,
    run_at bigint NOT NULL,
    key bigint NOT NULL,
    flags int NOT NULL,             -- of the job, so that reserve knows without looking
    PRIMARY KEY (queue, priority, run_at, key)
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE @.scheduled(
    queue text COLLATE "C" NOT NULL,
    run_at bigint NOT NULL,
    key bigint NOT NULL,
    priority int NOT NULL,
    PRIMARY KEY (queue, run_at, key)
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

-- One row for all jobs of one reserve, in the order they were reserved. hooks: FAILED jobs whose hook is out.
CREATE TABLE @.leases(
    token bigint PRIMARY KEY,
    until_ms bigint NOT NULL,       -- on the lease clock
    started_at bigint NOT NULL,
    worker text COLLATE "C" NOT NULL,
    keys bigint[] NOT NULL,
    hooks bigint[] NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 200,
        autovacuum_vacuum_cost_delay = 0);

-- COMPLETED jobs. ended_at: when it was settled; the last attempt is in the row as well.
CREATE TABLE @.history(
    key bigint PRIMARY KEY,
    created_at bigint NOT NULL,
    run_at bigint NOT NULL,
    batch bigint,
    ended_at bigint NOT NULL,
    started_at bigint NOT NULL,     -- of the last attempt
    finished_at bigint NOT NULL,    -- of the last attempt
    max_rss_kib bigint,
    cpu_ms bigint,
    priority int NOT NULL,
    attempt int NOT NULL,           -- number of the last attempt
    tries int NOT NULL,
    flags int NOT NULL,
    exit_code int,
    signal int,
    cause smallint,
    queue text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    uid text COLLATE "C",
    worker text COLLATE "C" NOT NULL,
    options bytea,
    data bytea,
    result bytea,
    error bytea,                    -- of the last attempt
    log bytea,
    tags text[],
    asks jsonb
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

-- What is counted a queue and state, in rows that are added up by who reads and folded now and then (counts.sql):
-- nobody waits for another's commit to count.
CREATE TABLE @.counts(
    queue text COLLATE "C" NOT NULL,
    held bigint NOT NULL DEFAULT 0,
    scheduled bigint NOT NULL DEFAULT 0,
    ready bigint NOT NULL DEFAULT 0,        -- parked ones included
    running bigint NOT NULL DEFAULT 0,
    completed bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    cancelled bigint NOT NULL DEFAULT 0
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_cost_delay = 0);

-- Queues that are paused, or were: the others have rows in counts alone.
CREATE TABLE @.queues(queue text COLLATE "C" PRIMARY KEY, paused_until bigint NOT NULL);

-- ---------------------------------------------------------------- rare: behind flags

-- Ids given by the caller, of jobs that are known.
CREATE TABLE @.uids(uid text COLLATE "C" PRIMARY KEY, key bigint NOT NULL);

-- Attempts that did not complete the job; the last 100 are kept.
CREATE TABLE @.attempts(
    key bigint NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    n int NOT NULL,
    started_at bigint NOT NULL,
    ended_at bigint NOT NULL,
    worker text COLLATE "C" NOT NULL,
    outcome smallint NOT NULL,
    cause smallint NOT NULL,
    exit_code int NOT NULL,
    signal int NOT NULL,
    max_rss_kib bigint NOT NULL,
    cpu_ms bigint NOT NULL,
    error bytea,
    log bytea,
    PRIMARY KEY (key, seq)
);

-- Counts as long as the job is RUNNING under that token.
CREATE TABLE @.progress(key bigint PRIMARY KEY, token bigint NOT NULL, percent int NOT NULL, note bytea);

-- Who holds a unique key. job NULL: it was pruned, its id stays. ends: enum errand_unique_until.
CREATE TABLE @.claims(
    key bytea PRIMARY KEY,
    job bigint,
    id text COLLATE "C" NOT NULL,
    until_ms bigint NOT NULL,
    ends smallint NOT NULL
);
CREATE INDEX claims_until ON @.claims(until_ms) WHERE until_ms < 9223372036854775807;

-- child waits for parent, a job or (is_batch) a batch. state: 0 open, 1 satisfied, 2 against.
-- is_cause: its parent's end has made the child CANCELLED.
CREATE TABLE @.edges(
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,     -- order of the child's edges, and of the parent's
    child bigint NOT NULL,
    parent bigint NOT NULL,
    is_batch boolean NOT NULL,
    on_end smallint NOT NULL,       -- enum errand_edge_on
    state smallint NOT NULL,
    is_cause boolean NOT NULL DEFAULT false
);
CREATE INDEX edges_parent ON @.edges(parent, is_batch, id);
CREATE INDEX edges_child ON @.edges(child, id);

CREATE TABLE @.batches(
    key bigint PRIMARY KEY,         -- of job_keys: order of insertion
    uid text COLLATE "C" NOT NULL UNIQUE,
    name text COLLATE "C" NOT NULL,
    allow_failures boolean NOT NULL,
    is_cancelled boolean NOT NULL DEFAULT false,
    total bigint NOT NULL DEFAULT 0,
    pending bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    cancelled bigint NOT NULL DEFAULT 0,
    created_at bigint NOT NULL,
    ended_at bigint NOT NULL DEFAULT 0,
    options bytea
) WITH (fillfactor = 50);
-- Members, whatever became of them, while they are known.
CREATE TABLE @.members(batch bigint NOT NULL, key bigint NOT NULL, PRIMARY KEY (batch, key));

-- FAILED jobs whose hook is due.
CREATE TABLE @.hooks(
    queue text COLLATE "C" NOT NULL, ended_at bigint NOT NULL, key bigint NOT NULL, PRIMARY KEY (queue, ended_at, key)
);

-- FAILED and CANCELLED jobs, so that lists and pruning do not walk the waiting ones.
CREATE TABLE @.finished(
    state smallint NOT NULL, queue text COLLATE "C" NOT NULL, ended_at bigint NOT NULL, key bigint NOT NULL,
    PRIMARY KEY (state, queue, ended_at, key)
);

-- ---------------------------------------------------------------- limits

-- Limits that are set (limit_put).
CREATE TABLE @.limits(
    name text COLLATE "C" PRIMARY KEY,
    kind smallint NOT NULL, scope smallint NOT NULL, target text COLLATE "C" NOT NULL, n bigint NOT NULL, per_ms bigint NOT NULL
);

-- What is used of one name and key: RUNNING jobs here, starts below. longest_ms: how long a start matters.
CREATE TABLE @.buckets(
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL, key bytea NOT NULL, running bigint NOT NULL DEFAULT 0, longest_ms bigint NOT NULL DEFAULT 0,
    UNIQUE (name, key)
) WITH (fillfactor = 50);
-- Sums a moment: n jobs of the bucket were started at at_ms.
CREATE TABLE @.starts(bucket bigint NOT NULL, at_ms bigint NOT NULL, n bigint NOT NULL, PRIMARY KEY (bucket, at_ms));
-- RUNNING jobs that count in a bucket.
CREATE TABLE @.holds(job bigint NOT NULL, bucket bigint NOT NULL, PRIMARY KEY (job, bucket));
-- Those who wait at one bucket for the same numbers; a row only while somebody does. wake_at: when time lets them go on.
CREATE TABLE @.lines(
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bucket bigint NOT NULL, kind smallint NOT NULL, n bigint NOT NULL, per_ms bigint NOT NULL, wake_at bigint,
    UNIQUE (bucket, kind, n, per_ms)
) WITH (fillfactor = 50);
CREATE INDEX lines_wake ON @.lines(wake_at) WHERE wake_at IS NOT NULL;
-- READY jobs in such a line, out of the way of reserve, in the order of ready.
CREATE TABLE @.parked(
    line bigint NOT NULL, queue text COLLATE "C" NOT NULL, priority int NOT NULL, run_at bigint NOT NULL, key bigint NOT NULL,
    flags int NOT NULL,
    PRIMARY KEY (line, queue, priority, run_at, key)
);
CREATE UNIQUE INDEX parked_key ON @.parked(key);

-- ---------------------------------------------------------------- what functions hand each other

-- A change of state that followed from a call; from_state 3 stands for RUNNING here, too.
CREATE TYPE @.move AS (
    key bigint, created_at bigint, uid text, name text, queue text, from_state int, to_state int, attempt int
);
-- struct errand_outcome. flags: 1 the hook is due, 2 it is told.
CREATE TYPE @.outcome AS (
    token bigint, key bigint, kind int, run_at bigint, started_at bigint, ended_at bigint, cause int, exit_code int,
    signal int, max_rss_kib bigint, cpu_ms bigint, flags int, error bytea, log bytea, result bytea, asks jsonb
);
-- What is to be followed up in a call: see follow.sql.
CREATE TYPE @.follows AS (jobs bigint[], batches bigint[], reopened bigint[]);
-- One limit as it applies to one job.
CREATE TYPE @.applied AS (name text, key bytea, kind int, n bigint, per_ms bigint);
-- What exchange answers (exchange.sql), of three kinds of rows.
CREATE TYPE @.answer AS (
    what int, token bigint, key bigint, created_at bigint, uid text, name text, queue text, data bytea, options bytea,
    error bytea, failed_at bigint, attempt int, tries int, priority int, run_at bigint, batch text, flags int
);
