/* migrate.c: which schema is there, and raising it.
 *
 * The version stands in errand_meta, not in user_version: an application may keep its own
 * tables in the same file. */
#include "store/sqlite/open.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"

/* 'errd' */
enum { APPLICATION_ID = 0x65727264 };

/* One number of a statement that is not worth a file: pragmas and the schema itself. */
static int number(struct er_sqlite *conn, const char *sql, int64_t *ret,
                  struct errand_error *err)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(conn->db.handle, sql, -1, &st, NULL);

    if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        *ret = sqlite3_column_int64(st, 0);
        rc = SQLITE_OK;
    }
    if (rc != SQLITE_OK && rc != SQLITE_DONE) {
        er_sqlite_error(&conn->db, sqlite3_extended_errcode(conn->db.handle), err,
                        "reading the schema");
        sqlite3_finalize(st);
        return err ? err->code : ERRAND_EINTERNAL;
    }
    sqlite3_finalize(st);
    return rc == SQLITE_DONE ? 0 : 1;
}

int er_schema_found(struct er_sqlite *conn, bool force, int *ret_found,
                    struct errand_error *err)
{
    int64_t tables = 0, app = 0, ours = 0, version = 0;
    int rc;

    if ((rc = number(conn, "SELECT count(*) FROM sqlite_schema WHERE name='errand_meta'",
                     &ours, err)) < 0)
        return rc;
    if (ours) {
        if ((rc = number(conn, "SELECT value FROM errand_meta WHERE key='schema'",
                         &version, err)) < 0)
            return rc;
        if (rc == 0)
            return errand_error_set(err, ERRAND_ECORRUPT,
                                    "the schema version is missing");
        *ret_found = (int)version;
        return 0;
    }
    if ((rc = number(conn, "SELECT count(*) FROM sqlite_schema", &tables, err)) < 0 ||
        (rc = number(conn, "PRAGMA application_id", &app, err)) < 0)
        return rc;
    if ((tables || app) && !force)
        return errand_error_set(
            err, ERRAND_ECONFLICT,
            "is a database of another program; nothing was changed. Name another "
            "file, or let errand add its tables to this one with 'errand migrate "
            "--force'");
    *ret_found = 0;
    return 0;
}

/* "written by errand 0.7 (schema 9), this is errand 0.5 (schema 7)" */
static int too_new(struct er_sqlite *conn, int found, struct errand_error *err)
{
    sqlite3_stmt *st = NULL;
    char version[64] = "?";

    if (sqlite3_prepare_v2(conn->db.handle,
                           "SELECT value FROM errand_meta WHERE key='version'", -1, &st,
                           NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        snprintf(version, sizeof version, "%s", sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
    return errand_error_set(
        err, ERRAND_ESCHEMA,
        "written by errand %s (schema %d), this is errand %s "
        "(schema %d)\n        upgrade errand on this machine; nothing "
        "was changed",
        version, found, ERRAND_VERSION, ER_SQLITE_SCHEMA);
}

static int salt_make(int64_t *ret)
{
    uint32_t salt;

    if (getrandom(&salt, sizeof salt, 0) != sizeof salt)
        return -1;
    *ret = salt;
    return 0;
}

static int raise_from(struct er_sqlite *conn, int found, struct errand_error *err)
{
    int64_t salt;
    int rc;

    for (int i = found; i < ER_SQLITE_SCHEMA; i++)
        if ((rc = er_sql_script(&conn->db, er_sqlite_migrations[i], err)) < 0)
            return rc;
    if (found == 0) {
        if (salt_make(&salt) < 0)
            return errand_error_set(err, ERRAND_EUNAVAILABLE, "no random bytes");
        if ((rc = er_meta_put(conn, "salt", salt, err)) < 0)
            return rc;
    }
    if ((rc = er_meta_put(conn, "schema", ER_SQLITE_SCHEMA, err)) < 0)
        return rc;
    return er_sql_run(&conn->db, ER_SQL_META_PUT,
                      ER_ARGS(er_text("version"), er_text(ERRAND_VERSION)), err);
}

static int raise_to_ours(struct er_sqlite *conn, bool force, struct errand_error *err)
{
    int64_t tables = 0;
    char pragma[64];
    int found, rc;

    if ((rc = er_sql_run(&conn->db, ER_SQL_BEGIN_WRITE, ER_NO_ARGS, err)) < 0)
        return rc;
    /* Who waited for the lock may find it done. */
    if ((rc = er_schema_found(conn, force, &found, err)) < 0)
        goto out;
    if (found > ER_SQLITE_SCHEMA) {
        rc = too_new(conn, found, err);
        goto out;
    }
    if (found == ER_SQLITE_SCHEMA)
        goto out;
    if (found == 0) {
        if ((rc = number(conn, "SELECT count(*) FROM sqlite_schema", &tables, err)) < 0)
            goto out;
        snprintf(pragma, sizeof pragma, "PRAGMA application_id=%d", APPLICATION_ID);
        if (!tables && (rc = er_sql_script(&conn->db, pragma, err)) < 0)
            goto out;
    }
    rc = raise_from(conn, found, err);
out:
    if (rc >= 0)
        rc = er_sql_run(&conn->db, ER_SQL_COMMIT, ER_NO_ARGS, err);
    if (rc < 0 && !sqlite3_get_autocommit(conn->db.handle))
        er_sql_run(&conn->db, ER_SQL_ROLLBACK, ER_NO_ARGS, NULL);
    return rc < 0 ? er_error_wrap(err, rc, "raising the schema to %d", ER_SQLITE_SCHEMA)
                  : 0;
}

int er_schema_check(struct er_sqlite *conn, const struct errand_open_params *p,
                    struct errand_error *err)
{
    int found = 0, rc;

    if ((rc = er_schema_found(conn, p->force, &found, err)) < 0)
        return rc;
    if (found > ER_SQLITE_SCHEMA)
        return too_new(conn, found, err);
    if (found == ER_SQLITE_SCHEMA)
        return 0;
    if (p->create && !p->read_only)
        return raise_to_ours(conn, p->force, err);
    if (found == 0)
        return errand_error_set(err, ERRAND_ENOTFOUND,
                                "holds no errand store yet; 'errand migrate' makes it");
    return errand_error_set(err, ERRAND_ESCHEMA,
                            "has schema %d, this is errand %s (schema %d)\n        "
                            "run 'errand migrate'; nothing was changed",
                            found, ERRAND_VERSION, ER_SQLITE_SCHEMA);
}
