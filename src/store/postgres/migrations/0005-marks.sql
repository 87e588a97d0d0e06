-- 0005-marks.sql: from where on a line is looked at (sql/marks.sql).

-- Of that queue and priority no row of ready stands below (run_at, key). next: where the mark is to go; fence: every
-- transaction from that one on knows of it.
CREATE TABLE @.marks(
    queue text COLLATE "C" NOT NULL,
    priority int NOT NULL,
    run_at bigint NOT NULL DEFAULT -9223372036854775808,
    key bigint NOT NULL DEFAULT 0,
    next_run_at bigint,
    next_key bigint,
    fence xid8,
    moved_ms bigint NOT NULL,       -- the last step
    verified_ms bigint NOT NULL,    -- when all of it was looked through
    PRIMARY KEY (queue, priority)
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_cost_delay = 0);
