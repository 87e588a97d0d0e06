-- commit.sql: The end of a call.
COMMIT;
