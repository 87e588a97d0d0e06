-- 0001-tables.sql: the first schema. Append-only: a change is a new file.
--
-- Names begin with errand_ so that the file can be shared with an application's own tables. Times are milliseconds
-- since 1970 UTC. What the hot path writes: errand_jobs at push and at the end, errand_ready, one errand_leases row
-- for all jobs of one reserve, and the counters in errand_queues. Everything else is touched only for a job whose
-- flags say so (enum er_flag in sqlite.h).

CREATE TABLE errand_meta(key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;

-- Row 0 is the root of the store: what every transaction reads and most change. It lives here because the
-- counters make this page dirty anyway; a table of its own would be one more page a commit.
CREATE TABLE errand_queues(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    paused_until INTEGER NOT NULL DEFAULT 0,
    held INTEGER NOT NULL DEFAULT 0,
    scheduled INTEGER NOT NULL DEFAULT 0,
    ready INTEGER NOT NULL DEFAULT 0,       -- parked ones included
    running INTEGER NOT NULL DEFAULT 0,
    completed INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    cancelled INTEGER NOT NULL DEFAULT 0,
    parked INTEGER NOT NULL DEFAULT 0,
    next_id INTEGER,        -- root only, from here: next job
    next_token INTEGER,     -- next lease or lock
    next_seq INTEGER,       -- next event
    last_ms INTEGER,        -- creation time of the newest job: ids never step back
    control INTEGER,        -- grows with every command and cancel
    follow_until INTEGER,   -- somebody follows the events so long
    extras INTEGER          -- bits: which rare tables may have rows (enum er_extra)
) STRICT;
INSERT INTO errand_queues(id, name, next_id, next_token, next_seq, last_ms, control, follow_until, extras)
    VALUES(0, '', 1, 1, 1, 0, 0, 0, 0);

CREATE TABLE errand_names(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

-- A job that has not completed. Reserving never writes it: RUNNING is "named by a lease".
-- state: 0 held, 1 scheduled, 2 ready or running, 5 failed, 6 cancelled.
CREATE TABLE errand_jobs(
    id INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    name INTEGER NOT NULL,
    state INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    attempt INTEGER NOT NULL,   -- attempts begun before the present lease
    tries INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    waits INTEGER NOT NULL,     -- edges that are not satisfied
    created_at INTEGER NOT NULL,
    batch INTEGER,
    ended_at INTEGER,           -- FAILED and CANCELLED: when
    started_at INTEGER,         -- of the last attempt that was settled, with worker and error
    worker TEXT,
    options BLOB,
    payload BLOB,
    error BLOB
) STRICT;

CREATE TABLE errand_ready(
    queue INTEGER NOT NULL, priority INTEGER NOT NULL, run_at INTEGER NOT NULL, id INTEGER NOT NULL,
    PRIMARY KEY(queue, priority, run_at, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE errand_scheduled(
    queue INTEGER NOT NULL, run_at INTEGER NOT NULL, id INTEGER NOT NULL, priority INTEGER NOT NULL,
    PRIMARY KEY(queue, run_at, id)
) STRICT, WITHOUT ROWID;

-- One row for all jobs of one reserve; jobs: see lease.c. until_ms is on the lease clock of that boot.
CREATE TABLE errand_leases(
    token INTEGER PRIMARY KEY,
    until_ms INTEGER NOT NULL,
    boot INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    worker TEXT NOT NULL,
    jobs BLOB NOT NULL
) STRICT;

-- FAILED and CANCELLED jobs, so that lists and pruning do not walk the waiting ones.
CREATE TABLE errand_finished(
    state INTEGER NOT NULL, id INTEGER NOT NULL, ended_at INTEGER NOT NULL, queue INTEGER NOT NULL,
    PRIMARY KEY(state, id)
) STRICT, WITHOUT ROWID;

-- COMPLETED jobs.
CREATE TABLE errand_history(
    id INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    name INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    batch INTEGER,
    started_at INTEGER NOT NULL,    -- of the last attempt
    ran_ms INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,      -- when it was settled
    max_rss_kib INTEGER NOT NULL,
    cpu_ms INTEGER NOT NULL,
    worker TEXT NOT NULL,
    options BLOB,
    payload BLOB,
    result BLOB
) STRICT;
CREATE INDEX errand_history_queue ON errand_history(queue);

-- ---------------------------------------------------------------- rare: behind flags

-- Ids given by the caller; ours are computed from the integer (id.c).
CREATE TABLE errand_ids(uid TEXT PRIMARY KEY, job INTEGER NOT NULL UNIQUE) STRICT, WITHOUT ROWID;

-- Columns of the key come first: quick_check of SQLite 3.40 reads others wrong.
CREATE TABLE errand_tags(
    job INTEGER NOT NULL, n INTEGER NOT NULL, tag TEXT NOT NULL, PRIMARY KEY(job, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE errand_attempts(
    job INTEGER NOT NULL, seq INTEGER NOT NULL, n INTEGER NOT NULL,
    started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL, worker TEXT NOT NULL,
    outcome INTEGER NOT NULL, cause INTEGER NOT NULL, exit_code INTEGER NOT NULL, signal INTEGER NOT NULL,
    max_rss_kib INTEGER NOT NULL, cpu_ms INTEGER NOT NULL, error BLOB, log BLOB,
    PRIMARY KEY(job, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE errand_progress(job INTEGER PRIMARY KEY, percent INTEGER NOT NULL, note BLOB) STRICT;

-- Running jobs that somebody wants stopped.
CREATE TABLE errand_cancels(job INTEGER PRIMARY KEY) STRICT;

-- The key a job was pushed with, as long as the job is known; and who holds each key now.
CREATE TABLE errand_unique_jobs(
    job INTEGER PRIMARY KEY, key BLOB NOT NULL, ttl_ms INTEGER NOT NULL, until INTEGER NOT NULL
) STRICT;
CREATE TABLE errand_unique_keys(
    key BLOB PRIMARY KEY, job INTEGER NOT NULL, until_ms INTEGER NOT NULL, uid TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX errand_unique_keys_until ON errand_unique_keys(until_ms);

-- child waits for parent. kind 0: parent is a job, 1: a batch. n: order of the child's edges. on_end and status: push.h.
CREATE TABLE errand_edges(
    kind INTEGER NOT NULL, parent INTEGER NOT NULL, child INTEGER NOT NULL, n INTEGER NOT NULL,
    on_end INTEGER NOT NULL, status INTEGER NOT NULL,
    PRIMARY KEY(kind, parent, child, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX errand_edges_child ON errand_edges(child);

CREATE TABLE errand_batches(
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    allow_failures INTEGER NOT NULL,
    is_cancelled INTEGER NOT NULL DEFAULT 0,
    total INTEGER NOT NULL DEFAULT 0,
    pending INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    cancelled INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL DEFAULT 0,
    options BLOB
) STRICT;
CREATE TABLE errand_batch_jobs(
    batch INTEGER NOT NULL, job INTEGER NOT NULL, PRIMARY KEY(batch, job)
) STRICT, WITHOUT ROWID;

-- FAILED jobs whose hook is due.
CREATE TABLE errand_hooks(
    queue INTEGER NOT NULL, ended_at INTEGER NOT NULL, id INTEGER NOT NULL, PRIMARY KEY(queue, ended_at, id)
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------- limits

CREATE TABLE errand_limits(
    name TEXT PRIMARY KEY, kind INTEGER NOT NULL, scope INTEGER NOT NULL, target TEXT NOT NULL,
    n INTEGER NOT NULL, per_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a job brought along.
CREATE TABLE errand_job_limits(
    job INTEGER NOT NULL, seq INTEGER NOT NULL, name TEXT NOT NULL, key BLOB NOT NULL,
    kind INTEGER NOT NULL, n INTEGER NOT NULL, per_ms INTEGER NOT NULL,
    PRIMARY KEY(job, seq)
) STRICT, WITHOUT ROWID;

-- What is used of one name and key: RUNNING jobs here, starts below. longest_ms: how long a start matters.
CREATE TABLE errand_buckets(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, key BLOB NOT NULL, running INTEGER NOT NULL, longest_ms INTEGER NOT NULL,
    UNIQUE(name, key)
) STRICT;

CREATE TABLE errand_starts(
    bucket INTEGER NOT NULL, at_ms INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(bucket, at_ms)
) STRICT, WITHOUT ROWID;

-- RUNNING jobs that count in a bucket.
CREATE TABLE errand_holds(
    job INTEGER NOT NULL, bucket INTEGER NOT NULL, PRIMARY KEY(job, bucket)
) STRICT, WITHOUT ROWID;

-- Those who wait at one bucket for the same numbers; a row only while somebody does. wake_at: when time lets them go on.
CREATE TABLE errand_lines(
    id INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, kind INTEGER NOT NULL, n INTEGER NOT NULL, per_ms INTEGER NOT NULL,
    parked INTEGER NOT NULL, wake_at INTEGER, UNIQUE(bucket, kind, n, per_ms)
) STRICT;
CREATE INDEX errand_lines_wake ON errand_lines(wake_at) WHERE wake_at IS NOT NULL;

-- READY jobs in such a line, out of the way of reserve, in the order of errand_ready.
CREATE TABLE errand_parked(
    line INTEGER NOT NULL, queue INTEGER NOT NULL, priority INTEGER NOT NULL, run_at INTEGER NOT NULL,
    id INTEGER NOT NULL, PRIMARY KEY(line, queue, priority, run_at, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX errand_parked_id ON errand_parked(id);

CREATE TABLE errand_locks(
    key BLOB PRIMARY KEY, owner TEXT NOT NULL, token INTEGER NOT NULL, until_ms INTEGER NOT NULL, boot INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------- the rest

CREATE TABLE errand_schedules(
    name TEXT PRIMARY KEY, spec BLOB NOT NULL, paused INTEGER NOT NULL, next_ms INTEGER NOT NULL,
    last_slot_ms INTEGER NOT NULL, last_job TEXT NOT NULL, missed_n INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE errand_workers(
    worker TEXT PRIMARY KEY, info BLOB NOT NULL, since_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE errand_commands(id INTEGER PRIMARY KEY, worker TEXT NOT NULL, command INTEGER NOT NULL) STRICT;
CREATE INDEX errand_commands_worker ON errand_commands(worker, id);

CREATE TABLE errand_definitions(
    key TEXT PRIMARY KEY, name TEXT NOT NULL, spec BLOB NOT NULL, updated_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE errand_events(
    seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, type TEXT NOT NULL, job TEXT NOT NULL, name TEXT NOT NULL,
    queue TEXT NOT NULL, attempt INTEGER NOT NULL, duration_ms INTEGER NOT NULL, delay_ms INTEGER NOT NULL, error BLOB
) STRICT;

CREATE TABLE errand_stats(
    minute_ms INTEGER NOT NULL, queue TEXT NOT NULL, name TEXT NOT NULL,
    done INTEGER NOT NULL, failed INTEGER NOT NULL, retried INTEGER NOT NULL,
    run_ms INTEGER NOT NULL, wait_ms INTEGER NOT NULL, run_hist BLOB NOT NULL, wait_hist BLOB NOT NULL,
    PRIMARY KEY(minute_ms, queue, name)
) STRICT, WITHOUT ROWID;
