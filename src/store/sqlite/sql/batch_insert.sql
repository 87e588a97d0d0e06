-- batch_insert.sql: A batch; its members come with the same push or later ones.
INSERT INTO errand_batches(uid, name, allow_failures, created_at, options) VALUES(?1, ?2, ?3, ?4, ?5);
