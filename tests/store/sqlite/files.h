/* files.h: a folder of its own for each test of the SQLite driver, and stores in it. */
#ifndef ER_TESTS_STORE_SQLITE_FILES_H
#define ER_TESTS_STORE_SQLITE_FILES_H

#include "support/folder.h"
#include "support/test.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "store/drivers.h"

static char folder[FOLDER_MAX], file[96], url[128];
static struct errand_arena *arena;
static struct errand_error err;
static const struct errand_driver *const driver = &er_sqlite_driver;

static int files_setup(void **state)
{
    (void)state;
    if (folder_make(folder, "sqlite") < 0 || !(arena = er_arena_new()))
        return -1;
    snprintf(file, sizeof file, "%s/jobs.db", folder);
    snprintf(url, sizeof url, "sqlite:%s", file);
    err = (struct errand_error){0};
    return 0;
}

static int files_teardown(void **state)
{
    (void)state;
    er_arena_free(arena);
    return folder_remove(folder);
}

static inline int open_at(const char *at, struct errand_open_params p,
                          struct errand_conn **ret)
{
    p.url = p.shown = at;
    return driver->open(&p, ret, &err);
}

/* A new store in `file`, or another connection to it. */
static inline struct errand_conn *open_ok(void)
{
    struct errand_conn *conn = NULL;
    struct errand_open_params p = {
        .create = true, .keep_completed_ms = -1, .keep_completed_n = -1};

    if (open_at(url, p, &conn) < 0)
        fail_msg("opening: %s", err.message);
    return conn;
}

/* Another program, with SQLite and without errand. */
static inline sqlite3 *plain_open(const char *path)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    return db;
}

static inline int64_t plain_number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *st = NULL;
    int64_t n;

    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return n;
}

static inline void plain_exec(sqlite3 *db, const char *sql)
{
    char *text = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK)
        fail_msg("%s: %s", sql, text);
}

static inline int push_try(struct errand_conn *conn, struct errand_push_job job,
                           void *transaction, struct errand_pushed_job *ret)
{
    struct errand_push_params p = {.jobs = &job, .jobs_n = 1, .transaction = transaction};
    struct errand_push_result result = {0};
    int rc;

    job.name = job.name ? job.name : "job";
    job.queue = job.queue ? job.queue : "line";
    job.tries = job.tries ? job.tries : 3;
    rc = driver->push(conn, &p, arena, &result, &err);
    if (rc == 0 && ret)
        *ret = result.jobs[0];
    return rc;
}

static inline struct errand_pushed_job push_ok(struct errand_conn *conn)
{
    struct errand_pushed_job ret = {0};

    if (push_try(conn, (struct errand_push_job){.data = {"{}", 2}}, NULL, &ret) < 0)
        fail_msg("pushing: %s", err.message);
    return ret;
}

static inline struct errand_exchange_result reserve(struct errand_conn *conn, size_t max)
{
    struct errand_exchange_params p = {.max = max, .lease_ms = 30000, .worker = "w"};
    struct errand_exchange_result ret = {0};

    if (driver->exchange(conn, &p, arena, &ret, &err) < 0)
        fail_msg("reserving: %s", err.message);
    return ret;
}

static inline int64_t count(struct errand_conn *conn, uint32_t states)
{
    struct errand_filter filter = {.states = states};
    int64_t n = -1;

    if (driver->count(conn, &filter, 0, &n, &err) < 0)
        fail_msg("counting: %s", err.message);
    return n;
}

static inline void assert_sound(struct errand_conn *conn)
{
    struct errand_check_result ret = {0};

    if (driver->check(conn, 0, arena, &ret, &err) < 0)
        fail_msg("checking: %s", err.message);
    for (size_t i = 0; i < ret.findings_n; i++)
        print_error("%s\n", ret.findings[i]);
    assert_int_equal(ret.findings_n, 0);
}

#define assert_says(text)                                  \
    do {                                                   \
        if (!strstr(err.message, (text)))                  \
            fail_msg("message says not: %s", err.message); \
    } while (0)

#endif
