-- 0003-completions.sql: jobs whose handler has completed them inside a transaction of its own (sql/complete.sql). A row stands
-- until the job is settled or its lease is over.
CREATE TABLE @.completions(key bigint NOT NULL, token bigint NOT NULL, result bytea, PRIMARY KEY (key, token));
