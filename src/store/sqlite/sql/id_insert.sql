-- id_insert.sql: Remembers an id that a caller gave.
INSERT INTO errand_ids(uid, job) VALUES(?1, ?2);
