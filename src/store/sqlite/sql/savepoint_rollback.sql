-- savepoint_rollback.sql: Back to where the call began; RELEASE must follow.
ROLLBACK TO errand_push;
