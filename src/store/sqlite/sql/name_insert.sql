-- name_insert.sql: Job names are never deleted either.
INSERT INTO errand_names(name) VALUES(?1);
