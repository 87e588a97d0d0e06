-- cancel_insert.sql: Somebody wants this running job stopped.
INSERT OR IGNORE INTO errand_cancels(job) VALUES(?1);
