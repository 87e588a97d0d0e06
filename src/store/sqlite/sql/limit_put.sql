-- limit_put.sql: Sets a limit.
INSERT INTO errand_limits(name, kind, scope, target, n, per_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT(name) DO UPDATE SET kind = excluded.kind, scope = excluded.scope, target = excluded.target, n = excluded.n,
                                    per_ms = excluded.per_ms;
