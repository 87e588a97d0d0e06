-- 0002-rest.sql: what jobs do not need: events, locks, schedules, workers and the like. Append-only.

-- ---------------------------------------------------------------- events

-- As it was told; numbered and moved to events by who reads (sql/events.sql).
CREATE TABLE @.told(
    n bigint GENERATED ALWAYS AS IDENTITY,
    at_ms bigint NOT NULL, type text NOT NULL, id text NOT NULL, name text NOT NULL, queue text NOT NULL,
    attempt int NOT NULL, duration_ms bigint NOT NULL, delay_ms bigint NOT NULL, error bytea
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
CREATE TABLE @.ring(
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    last_seq bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);
INSERT INTO @.ring DEFAULT VALUES;
CREATE TABLE @.events(
    seq bigint PRIMARY KEY,
    at_ms bigint NOT NULL, type text NOT NULL, id text NOT NULL, name text NOT NULL, queue text NOT NULL,
    attempt int NOT NULL, duration_ms bigint NOT NULL, delay_ms bigint NOT NULL, error bytea
);

-- ---------------------------------------------------------------- the rest

CREATE TABLE @.workers(
    worker text COLLATE "C" PRIMARY KEY, info bytea NOT NULL, since_ms bigint NOT NULL, seen_ms bigint NOT NULL,
    until_ms bigint NOT NULL, commands smallint[] NOT NULL DEFAULT '{}'     -- oldest first
) WITH (fillfactor = 50);

CREATE TABLE @.definitions(
    key text COLLATE "C" PRIMARY KEY, name text NOT NULL, spec bytea NOT NULL, updated_ms bigint NOT NULL
);

CREATE TABLE @.stats(
    minute_ms bigint NOT NULL, queue text COLLATE "C" NOT NULL, name text COLLATE "C" NOT NULL,
    done bigint NOT NULL, failed bigint NOT NULL, retried bigint NOT NULL, run_ms bigint NOT NULL, wait_ms bigint NOT NULL,
    run_hist bigint[] NOT NULL, wait_hist bigint[] NOT NULL,
    PRIMARY KEY (minute_ms, queue, name)
) WITH (fillfactor = 80);

CREATE TABLE @.locks(key bytea PRIMARY KEY, owner text NOT NULL, token bigint NOT NULL, until_ms bigint NOT NULL);

CREATE TABLE @.schedules(
    name text COLLATE "C" PRIMARY KEY, spec bytea NOT NULL, paused boolean NOT NULL, next_ms bigint NOT NULL,
    last_slot_ms bigint NOT NULL DEFAULT 0, last_job text NOT NULL DEFAULT '', missed_n bigint NOT NULL DEFAULT 0
);

-- When the hot tables were last vacuumed by a worker (sql/upkeep.sql).
CREATE TABLE @.upkeep(
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    vacuumed_ms bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);
INSERT INTO @.upkeep DEFAULT VALUES;
