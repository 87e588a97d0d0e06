/* main.c: bench-ceiling WHAT TABLE SYNC FILE: one figure of SQLite itself, in jobs a
 * second. One measurement a process, so that each starts with cold caches of its own.
 *
 *   one     insert, a transaction each
 *   bulk    insert, 1,000 a transaction
 *   cycle   end the last 100 and reserve the next 100 in one transaction */
#include "ceiling/sqlite.h"
#include "measure.h"

#include <stdio.h>
#include <string.h>

enum { BULK = 1000, BATCH = 100 };

static sqlite3 *db;
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

static void database_open(const char *path, const struct table *t, bool full)
{
    database_remove(path);
    if (sqlite3_open(path, &db))
        die("%s: %s", path, sqlite3_errmsg(db));
    sqlite_exec(db, "PRAGMA journal_mode = wal; PRAGMA cache_size = -65536;"
                    "PRAGMA mmap_size = 268435456");
    sqlite_exec(db, full ? "PRAGMA synchronous = full" : "PRAGMA synchronous = normal");
    sqlite_exec(db, t->schema);
    t->prepare(db);
    begin = sqlite_prepare(db, "BEGIN IMMEDIATE");
    commit = sqlite_prepare(db, "COMMIT");
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
    const struct table *t;
    int64_t n, from;
    char name[64];
    bool full;

    if (argc != 5)
        die("usage: bench-ceiling one|bulk|cycle TABLE normal|full FILE");
    t = table_find(argv[2]);
    full = strcmp(argv[3], "full") == 0;
    database_open(argv[4], t, full);
    snprintf(name, sizeof name, "%s.%s.%s", t->name, argv[1], argv[3]);
    if (strcmp(argv[1], "one") == 0) {
        n = full ? setting("BENCH_ONE_FULL", 2000) : setting("BENCH_ONE", 40000);
        from = now_ns();
        insert_one_by_one(t, n);
    } else if (strcmp(argv[1], "bulk") == 0) {
        n = setting("BENCH_BULK", 200000);
        from = now_ns();
        insert_all(t, n, BULK);
    } else {
        n = setting("BENCH_DRAIN", 200000);
        insert_all(t, n, 10000);
        sqlite_exec(db, "PRAGMA wal_checkpoint(truncate)");
        from = now_ns();
        n = cycle_all(t, n);
    }
    figure_rate(name, (double)n, from);
    database_remove(argv[4]);
    return 0;
}
