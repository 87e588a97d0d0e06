-- savepoint_release.sql: The caller commits.
RELEASE errand_push;
