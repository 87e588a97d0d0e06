-- rollback.sql: Nothing has changed.
ROLLBACK;
