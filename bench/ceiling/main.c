/* main.c: bench-ceiling WHAT TABLE SYNC FILE: one figure of SQLite itself, in jobs a
 * second. One measurement a process, so that each starts with cold caches of its own.
 *
 *   one     insert, a transaction each
 *   bulk    insert, 1,000 a transaction
 *   cycle   end the last 100 and reserve the next 100 in one transaction
 *   pickup  insert in one process, reserve in a second, have it in a third */
#include "ceiling/pickup.h"
#include "ceiling/sqlite.h"
#include "measure.h"

#include <stdio.h>
#include <string.h>

enum { BULK = 1000, BATCH = 100 };

static sqlite3 *db;
static const struct table *table;
static bool is_full;
static sqlite3_stmt *begin, *commit;

sqlite3_stmt *sqlite_prepare(sqlite3 *on, const char *sql)
{
    sqlite3_stmt *statement;

    if (sqlite3_prepare_v3(on, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL))
        die("%s: %s", sql, sqlite3_errmsg(on));
    return statement;
}

void sqlite_run(sqlite3_stmt *statement)
{
    int rc = sqlite3_step(statement);

    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        die("%s: %s", sqlite3_sql(statement), sqlite3_errmsg(db));
    sqlite3_reset(statement);
}

void sqlite_exec(sqlite3 *on, const char *sql)
{
    if (sqlite3_exec(on, sql, NULL, NULL, NULL))
        die("%s: %s", sql, sqlite3_errmsg(on));
}

static void connect_to(const char *path)
{
    if (sqlite3_open(path, &db))
        die("%s: %s", path, sqlite3_errmsg(db));
    sqlite3_busy_timeout(db, 10000);
    sqlite_exec(db, "PRAGMA journal_mode = wal; PRAGMA cache_size = -65536;"
                    "PRAGMA mmap_size = 268435456");
    sqlite_exec(db,
                is_full ? "PRAGMA synchronous = full" : "PRAGMA synchronous = normal");
}

static void statements_prepare(void)
{
    table->prepare(db);
    begin = sqlite_prepare(db, "BEGIN IMMEDIATE");
    commit = sqlite_prepare(db, "COMMIT");
}

static void database_make(const char *path)
{
    database_remove(path);
    connect_to(path);
    sqlite_exec(db, table->schema);
    statements_prepare();
}

static void insert_all(const struct table *t, int64_t n, int batch)
{
    for (int64_t i = 0; i < n; i += batch) {
        sqlite_run(begin);
        for (int k = 0; k < batch; k++)
            t->insert(i + k);
        if (t->counted)
            t->counted(batch);
        sqlite_run(commit);
    }
}

/* A plain insert is a transaction by itself: nothing to begin. */
static void insert_one_by_one(const struct table *t, int64_t n)
{
    if (t->counted) {
        insert_all(t, n, 1);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        t->insert(i);
}

static int64_t cycle_all(const struct table *t, int64_t n)
{
    int64_t done = 0;
    int reserved;

    do {
        sqlite_run(begin);
        reserved = t->turn(BATCH, now_ns() / 1000);
        sqlite_run(commit);
        done += reserved;
    } while (reserved && done < n);
    return done;
}

/* ------------------------------------------------------------------ pick-up */

static void pickup_open(const char *path)
{
    connect_to(path);
    statements_prepare();
}

static void pickup_dispatch(int64_t number)
{
    sqlite_run(begin);
    table->insert(number);
    if (table->counted)
        table->counted(1);
    sqlite_run(commit);
}

static const char *pickup_reserve(void)
{
    int n;

    sqlite_run(begin);
    n = table->turn(BATCH, now_ns() / 1000);
    sqlite_run(commit);
    return n ? table->payload() : NULL;
}

/* No connection crosses the forks. */
static void pickup(const char *path, const char *name)
{
    const struct pickup p = {.path = path,
                             .open = pickup_open,
                             .dispatch = pickup_dispatch,
                             .reserve = pickup_reserve};

    sqlite3_close_v2(db);
    pickup_measure(&p, setting("BENCH_PICKUP", 200), name);
}

static const struct table *table_find(const char *name)
{
    static const struct table *const tables[] = {&plain_table, &layout_table,
                                                 &history_table};

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (strcmp(tables[i]->name, name) == 0)
            return tables[i];
    die("no table '%s'", name);
}

int main(int argc, char **argv)
{
    int64_t n, from;
    char name[64];

    if (argc != 5)
        die("usage: bench-ceiling one|bulk|cycle|pickup TABLE normal|full FILE");
    table = table_find(argv[2]);
    is_full = strcmp(argv[3], "full") == 0;
    database_make(argv[4]);
    snprintf(name, sizeof name, "%s.%s.%s", table->name, argv[1], argv[3]);
    if (strcmp(argv[1], "pickup") == 0) {
        pickup(argv[4], name);
        database_remove(argv[4]);
        return 0;
    }
    if (strcmp(argv[1], "one") == 0) {
        n = is_full ? setting("BENCH_ONE_FULL", 2000) : setting("BENCH_ONE", 40000);
        from = now_ns();
        insert_one_by_one(table, n);
    } else if (strcmp(argv[1], "bulk") == 0) {
        n = setting("BENCH_BULK", 200000);
        from = now_ns();
        insert_all(table, n, BULK);
    } else {
        n = setting("BENCH_DRAIN", 200000);
        insert_all(table, n, 10000);
        sqlite_exec(db, "PRAGMA wal_checkpoint(truncate)");
        from = now_ns();
        n = cycle_all(table, n);
    }
    figure_rate(name, (double)n, from);
    database_remove(argv[4]);
    return 0;
}
