-- definition_put.sql: What the owner of a job says about it.
INSERT INTO errand_definitions(key, name, spec, updated_ms) VALUES(?1, ?2, ?3, ?4)
    ON CONFLICT(key) DO UPDATE SET name = excluded.name, spec = excluded.spec, updated_ms = excluded.updated_ms;
