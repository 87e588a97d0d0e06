/* open.c: opening, closing and letting go of a connection. */
#include "store/sqlite/open.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "core/backoff.h"
#include "core/clock.h"
#include "store/drivers.h"
#include "store/sqlite/wake.h"

enum {
    BUSY_MS = 30000,
    BUSY_LOOKS = 16,
    BUSY_SLEEP_FIRST_US = 20,
    BUSY_SLEEP_MAX_US = 5000
};

/* Some looks at once, because a commit of another takes microseconds and the shortest
 * sleep eighty; then sleeps, longer and longer. Random, so that several who wait do not
 * ask in step. */
static int on_busy(void *arg, int n)
{
    struct er_sqlite *conn = arg;
    int64_t now_ms = er_clock_mono_ms(NULL);
    uint64_t us;

    if (n == 0)
        conn->busy_until_ms = now_ms + conn->busy_ms;
    if (now_ms >= conn->busy_until_ms)
        return 0;
    if (n < BUSY_LOOKS) {
        sched_yield();
        return 1;
    }
    n -= BUSY_LOOKS;
    us = (uint64_t)BUSY_SLEEP_FIRST_US << (n < 10 ? n : 10);
    if (us > BUSY_SLEEP_MAX_US)
        us = BUSY_SLEEP_MAX_US;
    us = us / 2 + (uint64_t)(er_backoff_random(&conn->busy_random) * (double)us);
    nanosleep(&(struct timespec){.tv_nsec = (long)us * 1000}, NULL);
    return 1;
}

void er_busy_set(struct er_sqlite *conn)
{
    sqlite3_busy_handler(conn->db.handle, on_busy, conn);
}

/* The boot this process runs in, as a number. */
static int64_t boot_read(void)
{
    char text[64] = "", digits[16];
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
    size_t n = 0;

    if (f) {
        if (!fgets(text, sizeof text, f))
            text[0] = '\0';
        fclose(f);
    }
    for (const char *p = text; *p && n < 15; p++)
        if (*p != '-')
            digits[n++] = *p;
    digits[n] = '\0';
    return (int64_t)strtoll(digits, NULL, 16);
}

/* Descriptors of this process that point at the database, its log or its index. */
static size_t fds_find(const char *path, int *fds, size_t max)
{
    size_t len = strlen(path), n = 0;
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    char target[4096];

    while (dir && (entry = readdir(dir)) && n < max) {
        ssize_t got = readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1);
        if (got <= 0)
            continue;
        target[got] = '\0';
        if (strncmp(target, path, len) == 0 &&
            (strcmp(target + len, "") == 0 || strcmp(target + len, "-wal") == 0 ||
             strcmp(target + len, "-shm") == 0))
            fds[n++] = (int)strtol(entry->d_name, NULL, 10);
    }
    if (dir)
        closedir(dir);
    return n;
}

static bool has_fd(const int *fds, size_t n, int fd)
{
    for (size_t i = 0; i < n; i++)
        if (fds[i] == fd)
            return true;
    return false;
}

/* Which of them is the database itself. None is, where SQLite has taken one that another
 * connection of this process left behind. */
static void file_fd_note(struct er_sqlite *conn)
{
    struct stat file, it;

    conn->file_fd = -1;
    if (stat(conn->path, &file) < 0)
        return;
    for (size_t i = 0; i < conn->fds_n; i++)
        if (fstat(conn->fds[i], &it) == 0 && it.st_ino == file.st_ino &&
            it.st_dev == file.st_dev)
            conn->file_fd = conn->fds[i];
}

/* Remembers which descriptors this connection has opened, for abandon. */
static void fds_note(struct er_sqlite *conn, const int *before, size_t before_n)
{
    int after[64];
    size_t n;

    n = fds_find(conn->path, after, sizeof after / sizeof *after);
    for (size_t i = 0; i < n && conn->fds_n < sizeof conn->fds / sizeof *conn->fds; i++)
        if (!has_fd(before, before_n, after[i]))
            conn->fds[conn->fds_n++] = after[i];
    file_fd_note(conn);
}

static int handle_open(struct er_sqlite *conn, const struct errand_open_params *p,
                       struct errand_error *err)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    int rc;

    flags |= p->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    rc = sqlite3_open_v2(conn->path, &conn->db.handle, flags, NULL);
    if (rc != SQLITE_OK)
        return er_sqlite_error(&conn->db, rc, err, "opening");
    if (!p->read_only && sqlite3_db_readonly(conn->db.handle, "main") == 1)
        return errand_error_set(err, ERRAND_EREADONLY,
                                "may not be written; check the permissions of the "
                                "file and of its folder");
    er_busy_set(conn);
    sqlite3_db_config(conn->db.handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(conn->db.handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return 0;
}

/* Switching to WAL needs the file for a moment alone, and SQLite does not wait for it. */
static int wal_set(struct er_sqlite *conn, struct errand_error *err)
{
    int rc, n = 0;

    while ((rc = sqlite3_exec(conn->db.handle, "PRAGMA journal_mode=WAL", NULL, NULL,
                              NULL)) != SQLITE_OK &&
           (rc & 0xff) == SQLITE_BUSY && on_busy(conn, n++))
        ;
    return rc == SQLITE_OK ? 0 : er_sqlite_error(&conn->db, rc, err, "setting WAL");
}

/* How many pages the log may have before it is moved into the database. Four times
 * SQLite's own figure makes a dispatch 9 % cheaper. But on a full disk the log cannot be
 * moved before so much is freed: a small disk keeps a small log. So does a store that
 * syncs each commit: writing over the log is synced faster than making it longer. */
static int log_pages(const struct er_sqlite *conn)
{
    struct statvfs fs;
    const uint64_t large = UINT64_C(1) << 30;

    if (conn->is_full || statvfs(conn->path, &fs) < 0 ||
        (uint64_t)fs.f_blocks * fs.f_frsize < large)
        return 1000;
    return 4000;
}

/* 64 MiB of cache and 256 MiB mapped were measured best to a million jobs; neither is
 * taken before it is needed. The log is cut back after a peak. */
static int settings_set(struct er_sqlite *conn, const struct errand_open_params *p,
                        struct errand_error *err)
{
    const char *script = "PRAGMA cell_size_check=ON;"
                         "PRAGMA cache_size=-65536;"
                         "PRAGMA mmap_size=268435456;"
                         "PRAGMA temp_store=MEMORY;"
                         "PRAGMA journal_size_limit=67108864;";
    int rc;

    if ((rc = er_sql_script(&conn->db, script, err)) < 0)
        return rc;
    conn->is_full = p->durable == ERRAND_DURABLE_FULL;
    sqlite3_wal_autocheckpoint(conn->db.handle, log_pages(conn));
    return er_sql_script(
        &conn->db,
        conn->is_full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", err);
}

/* One number of errand_meta: 1 and the number, or 0. */
static int meta_number(struct er_sqlite *conn, const char *key, int64_t *ret,
                       struct errand_error *err)
{
    sqlite3_stmt *st =
        er_sql_bind(&conn->db, ER_SQL_META_GET, ER_ARGS(er_text(key)), err);
    int rc;

    if (!st)
        return err->code;
    if ((rc = er_sql_next(&conn->db, st, err)) > 0) {
        *ret = sqlite3_column_int64(st, 0);
        sqlite3_reset(st);
    }
    return rc;
}

int er_meta_put(struct er_sqlite *conn, const char *key, int64_t value,
                struct errand_error *err)
{
    return er_sql_run(&conn->db, ER_SQL_META_PUT, ER_ARGS(er_text(key), er_int(value)),
                      err);
}

static int salt_read(struct er_sqlite *conn, struct errand_error *err)
{
    int64_t salt = 0;
    int rc = meta_number(conn, "salt", &salt, err);

    if (rc <= 0)
        return rc < 0 ? rc
                      : errand_error_set(err, ERRAND_ECORRUPT, "the salt is missing");
    conn->salt[0] = (uint32_t)salt >> 20 & 0xfff;
    conn->salt[1] = (uint32_t)salt & 0xfffff;
    return 0;
}

/* The lease clock is boot time plus an offset that all processes share, so that it reads
 * like wall time and no step of the wall clock moves it. The first to open the store
 * after a boot sets it; leases of an earlier boot are over anyway. */
static int clock_set(struct er_sqlite *conn, struct errand_error *err)
{
    int64_t boot = 0, offset = 0, now = er_clock_wall_ms(NULL) - er_clock_boot_ms(NULL);
    int rc;

    if ((rc = meta_number(conn, "boot", &boot, err)) < 0 ||
        (rc = meta_number(conn, "lease_offset_ms", &offset, err)) < 0)
        return rc;
    conn->lease_offset_ms = boot == conn->boot ? offset : now;
    if (boot == conn->boot || conn->is_read_only)
        return 0;
    if ((rc = er_sql_run(&conn->db, ER_SQL_BEGIN_WRITE, ER_NO_ARGS, err)) < 0)
        return rc;
    /* Who waited for the lock may find it done. */
    if ((rc = meta_number(conn, "boot", &boot, err)) >= 0 && boot == conn->boot)
        rc = meta_number(conn, "lease_offset_ms", &conn->lease_offset_ms, err);
    else if (rc >= 0 && (rc = er_meta_put(conn, "boot", conn->boot, err)) == 0)
        rc = er_meta_put(conn, "lease_offset_ms", now, err);
    if (rc >= 0)
        rc = er_sql_run(&conn->db, ER_SQL_COMMIT, ER_NO_ARGS, err);
    if (rc < 0)
        er_sql_run(&conn->db, ER_SQL_ROLLBACK, ER_NO_ARGS, NULL);
    return rc;
}

static int conn_new(const struct errand_open_params *p, struct er_sqlite **ret,
                    struct errand_error *err)
{
    struct er_sqlite *conn;
    char *path = NULL, *full;
    int rc;

    if ((rc = er_sqlite_file(p, &path, err)) < 0)
        return rc;
    /* The wake file and the descriptors are found by it after a chdir, too. */
    full = realpath(path, NULL);
    free(path);
    conn = calloc(1, sizeof *conn);
    if (!conn || !full || !(conn->scratch = er_arena_new())) {
        free(conn);
        free(full);
        return er_error_nomem(err);
    }
    conn->path = full;
    conn->base.driver = &er_sqlite_driver;
    conn->is_read_only = p->read_only;
    conn->keep_ms = p->keep_completed_ms;
    conn->keep_n = p->keep_completed_n;
    conn->busy_ms = p->busy_ms ? p->busy_ms : BUSY_MS;
    conn->busy_random = er_backoff_seed();
    conn->boot = boot_read();
    conn->params = *p;
    conn->params.url = conn->params.shown = NULL;
    conn->params.create = false;
    *ret = conn;
    return 0;
}

static bool has_log(const struct er_sqlite *conn)
{
    char path[4096];
    struct stat st;

    snprintf(path, sizeof path, "%s-wal", conn->path);
    return stat(path, &st) == 0 && st.st_size > 0;
}

/* Reading a database in WAL mode writes to the index beside it. Where nobody may write
 * and no log is left, nothing can change either: it is read as it is. */
static int reopen_unchanging(struct er_sqlite *conn, struct errand_error *err)
{
    struct er_buf uri;
    int rc;

    er_buf_init(&uri, 16384);
    er_buf_str(&uri, "file:");
    for (const char *c = conn->path; *c; c++)
        if (*c == '%' || *c == '?' || *c == '#')
            er_buf_printf(&uri, "%%%02x", (unsigned)*c);
        else
            er_buf_add(&uri, c, 1);
    er_buf_str(&uri, "?immutable=1");
    if (uri.has_failed) {
        er_buf_done(&uri);
        return er_error_nomem(err);
    }
    er_db_done(&conn->db);
    sqlite3_close(conn->db.handle);
    rc = sqlite3_open_v2(uri.ptr, &conn->db.handle,
                         SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
                             SQLITE_OPEN_EXRESCODE,
                         NULL);
    er_buf_done(&uri);
    return rc == SQLITE_OK ? 0 : er_sqlite_error(&conn->db, rc, err, "opening");
}

/* Whose file it is comes first: WAL mode would already change it. */
static int identify(struct er_sqlite *conn, const struct errand_open_params *p,
                    struct errand_error *err)
{
    int found, rc = er_schema_found(conn, p->force, &found, err);

    if (rc < 0 && p->read_only && (rc == ERRAND_EREADONLY || rc == ERRAND_EUNAVAILABLE) &&
        !has_log(conn) && (rc = reopen_unchanging(conn, err)) == 0)
        rc = er_schema_found(conn, p->force, &found, err);
    return rc;
}

/* Everything but the schema. */
static int conn_open(const struct errand_open_params *p, struct er_sqlite **ret,
                     struct errand_error *err)
{
    struct er_sqlite *conn = NULL;
    int before[64], rc;
    size_t before_n;

    if ((rc = conn_new(p, &conn, err)) < 0)
        return rc;
    before_n = fds_find(conn->path, before, sizeof before / sizeof *before);
    if ((rc = handle_open(conn, p, err)) < 0 || (rc = identify(conn, p, err)) < 0 ||
        (!p->read_only && (rc = wal_set(conn, err)) < 0) ||
        (rc = settings_set(conn, p, err)) < 0) {
        er_sqlite_close(&conn->base);
        return rc;
    }
    fds_note(conn, before, before_n);
    *ret = conn;
    return 0;
}

int er_sqlite_open(const struct errand_open_params *p, struct errand_conn **ret_conn,
                   struct errand_error *err)
{
    struct errand_error own;
    struct er_sqlite *conn = NULL;
    int rc;

    err = err ? err : &own;
    if ((rc = conn_open(p, &conn, err)) < 0)
        return rc;
    if ((rc = er_schema_check(conn, p, err)) < 0 || (rc = salt_read(conn, err)) < 0 ||
        (rc = clock_set(conn, err)) < 0 || (rc = er_wake_open(conn, err)) < 0) {
        er_sqlite_close(&conn->base);
        return rc;
    }
    *ret_conn = &conn->base;
    return 0;
}

/* SQLite has kept the path as it was from the root when it was opened. */
int er_sqlite_again(struct errand_conn *base, const struct errand_open_params *p,
                    struct errand_conn **ret_conn, struct errand_error *err)
{
    struct er_sqlite *conn = (struct er_sqlite *)base;
    const char *path = sqlite3_db_filename(conn->db.handle, "main");
    struct errand_open_params here = *p;
    struct er_buf url;
    int rc;

    er_buf_init(&url, 1 << 16);
    er_buf_printf(&url, "sqlite:%s", path);
    here.url = url.ptr;
    here.create = false;
    rc = url.has_failed ? er_error_nomem(err) : er_sqlite_open(&here, ret_conn, err);
    er_buf_done(&url);
    return rc;
}

static void conn_free(struct er_sqlite *conn)
{
    er_wake_close(conn->wake);
    er_names_forget(&conn->queues);
    er_names_forget(&conn->jobs);
    er_arena_free(conn->scratch);
    free(conn->path);
    free(conn);
}

void er_sqlite_close(struct errand_conn *base)
{
    struct er_sqlite *conn = (struct er_sqlite *)base;

    if (!conn)
        return;
    er_db_done(&conn->db);
    sqlite3_close(conn->db.handle);
    conn_free(conn);
}

/* Closing the descriptors frees no lock of the parent: those belong to its process. The
 * memory of the SQLite handle is left behind; to free it would run SQLite in the child.
 */
void er_sqlite_abandon(struct errand_conn *base)
{
    struct er_sqlite *conn = (struct er_sqlite *)base;

    if (!conn)
        return;
    for (size_t i = 0; i < conn->fds_n; i++)
        close(conn->fds[i]);
    conn_free(conn);
}

int er_sqlite_migrate(const struct errand_open_params *p, bool apply,
                      struct errand_migrate_result *ret, struct errand_error *err)
{
    struct errand_open_params here = *p;
    struct errand_error own;
    struct er_sqlite *conn = NULL;
    int rc;

    err = err ? err : &own;
    here.create = apply;
    here.read_only = !apply;
    *ret = (struct errand_migrate_result){.schema_wanted = ER_SQLITE_SCHEMA};
    if ((rc = conn_open(&here, &conn, err)) < 0)
        return rc == ERRAND_ENOTFOUND && !apply ? 0 : rc;
    rc = er_schema_found(conn, p->force, &ret->schema_found, err);
    if (rc == 0 && apply)
        rc = er_schema_check(conn, &here, err);
    er_sqlite_close(&conn->base);
    return rc;
}
