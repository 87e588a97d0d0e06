-- meta_put.sql: Schema, version of the writer, salt.
INSERT INTO errand_meta(key, value) VALUES(?1, ?2)
    ON CONFLICT(key) DO UPDATE SET value = excluded.value;
