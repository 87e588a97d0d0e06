/* transaction.c: a job that exists exactly when the application's own row does.
 *
 * The order and the job that processes it are one transaction on one SQLite file. Without
 * that, a crash between the two leaves an order that nobody processes, or a job for an
 * order that is not there.
 *
 *     cc transaction.c -o transaction $(pkg-config --cflags --libs errand sqlite3)
 *     ./transaction shop.db commit
 *     ./transaction shop.db rollback
 */
#include <stdio.h>
#include <string.h>

#include <errand.h>
#include <sqlite3.h>

static int run(sqlite3 *db, const char *sql, struct errand_error *err)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    return errand_error_set(err, ERRAND_EIO, "%s: %s", sql, sqlite3_errmsg(db));
}

/* Inside the transaction that is open on `db`. */
static int place_order(errand *e, sqlite3 *db, struct errand_error *err)
{
    char data[64];

    if (run(db, "INSERT INTO orders(item) VALUES('a book')", err) < 0)
        return -1;
    snprintf(data, sizeof data, "{\"orderId\":%lld}",
             (long long)sqlite3_last_insert_rowid(db));
    return errand_dispatch(e, "process-order", data,
                           &(struct errand_options){.transaction = db}, NULL, err);
}

static int shop(errand *e, sqlite3 *db, const char *end, struct errand_error *err)
{
    if (run(db, "PRAGMA busy_timeout = 5000", err) < 0 ||
        run(db, "CREATE TABLE IF NOT EXISTS orders(id INTEGER PRIMARY KEY, item TEXT)",
            err) < 0 ||
        run(db, "BEGIN IMMEDIATE", err) < 0)
        return -1;
    if (place_order(e, db, err) < 0) {
        run(db, "ROLLBACK", NULL);
        return -1;
    }
    return run(db, end, err);
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "shop.db";
    const char *end =
        argc > 2 && strcmp(argv[2], "rollback") == 0 ? "ROLLBACK" : "COMMIT";
    struct errand_error err = {0};
    sqlite3 *db = NULL;
    errand *e = NULL;
    char url[512];
    int failed;

    snprintf(url, sizeof url, "sqlite:%s", path);
    failed = !(e = errand_open(url, NULL, &err));
    if (!failed && sqlite3_open(path, &db) != SQLITE_OK)
        failed = errand_error_set(&err, ERRAND_EIO, "%s: %s", path, sqlite3_errmsg(db));
    failed = failed || shop(e, db, end, &err) < 0;
    if (failed)
        fprintf(stderr, "transaction: %s\n", err.message);
    sqlite3_close(db);
    errand_close(e);
    return failed != 0;
}
