-- savepoint.sql: A push inside the caller's own transaction is all or nothing as well.
SAVEPOINT errand_push;
