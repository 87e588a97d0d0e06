/* migrate.c: which schema is there, and raising it.
 *
 * Tables change by migrations, in order and for ever; the functions are of one version of
 * errand and are created anew when another one comes. Both in one transaction, under a
 * lock that ends with it: programs that start at the same time agree. */
#include "store/postgres/postgres.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "postgres_sql.h"

enum { GUARDED_MAX = 1 << 20 };

/* What the database says about itself. */
struct found {
    int schema;
    char version[32], functions[32];
};

/* ------------------------------------------------------------------ looking */

/* Of several statements, as one transaction, or a part of one. What somebody else has put
 * into a schema of the role's own path (a function that fits better than the server's) is
 * not called. */
static int exec_expanded(struct er_pg *conn, const char *text, PGresult **ret,
                         struct errand_error *err)
{
    struct er_buf guarded;
    const char *sql;
    int rc;

    er_buf_init(&guarded, GUARDED_MAX);
    er_buf_str(&guarded, "SET LOCAL search_path = pg_catalog, pg_temp; ");
    er_buf_str(&guarded, text);
    sql = guarded.has_failed ? NULL : er_pg_expand(conn, guarded.ptr);
    rc = sql ? er_pg_exec(conn, sql, ret, err) : er_error_nomem(err);
    er_buf_done(&guarded);
    return rc;
}

/* The same, where the script reads a setting. */
static int exec_with(struct er_pg *conn, const char *setting, const char *value,
                     const char *text, PGresult **ret, struct errand_error *err)
{
    char *literal = PQescapeLiteral(conn->pg, value, strlen(value));
    struct er_buf script;
    int rc;

    er_buf_init(&script, GUARDED_MAX);
    er_buf_printf(&script, "SELECT set_config('%s', %s, true); ", setting,
                  literal ? literal : "''");
    er_buf_str(&script, text);
    rc = literal && !script.has_failed ? exec_expanded(conn, script.ptr, ret, err)
                                       : er_error_nomem(err);
    PQfreemem(literal);
    er_buf_done(&script);
    return rc;
}

/* Before anything of the schema is called, or read: a table may be a view. */
static int owners_check(struct er_pg *conn, struct errand_error *err)
{
    const char *owner = conn->place.owner ? conn->place.owner : "";
    const char *schema = conn->place.schema;
    PGresult *res;
    int rc = exec_with(conn, "errand.owner", owner, er_postgres_start_owners, &res, err);

    if (rc < 0)
        return rc;
    owner = er_pg_field(res, 1);
    if (PQntuples(res) == 0)
        rc = 0;
    else if (*er_pg_field(res, 2) == '1')
        rc = errand_error_set(
            err, ERRAND_ECONFLICT,
            "%s may put functions into schema '%s' that are called with your rights; "
            "nothing was done. Let its owner REVOKE CREATE ON SCHEMA %s FROM %s, or "
            "trust that role by ?owner=%s",
            owner, schema, schema, owner, owner);
    else
        rc = errand_error_set(
            err, ERRAND_ECONFLICT,
            "%s belongs to the role '%s', which could do with it whatever you may; "
            "nothing was done. Trust that role by ?owner=%s, or name another schema "
            "with ?schema=NAME",
            er_pg_field(res, 0), owner, owner);
    PQclear(res);
    return rc;
}

/* Whether the schema is ours, or holds nothing that speaks against it. */
static int look_outside(struct er_pg *conn, bool *ret_is_ours, bool *ret_is_foreign,
                        struct errand_error *err)
{
    PGresult *res;
    int rc = exec_expanded(
        conn,
        "SELECT to_regclass('@.meta') IS NOT NULL AND to_regclass('@.job_keys') IS NOT "
        "NULL, EXISTS(SELECT 1 FROM pg_catalog.pg_class WHERE relnamespace = "
        "to_regnamespace(trim(trailing '.' FROM '@.')))",
        &res, err);

    if (rc < 0)
        return rc;
    *ret_is_ours = *er_pg_field(res, 0) == 't';
    *ret_is_foreign = !*ret_is_ours && *er_pg_field(res, 1) == 't';
    PQclear(res);
    return 0;
}

static int look_inside(struct er_pg *conn, struct found *ret, struct errand_error *err)
{
    PGresult *res;
    int rc = exec_expanded(
        conn,
        "SELECT max(value) FILTER (WHERE key = 'schema'), max(value) FILTER (WHERE key = "
        "'version'), max(value) FILTER (WHERE key = 'functions') FROM @.meta",
        &res, err);

    if (rc < 0)
        return rc;
    ret->schema = (int)strtol(er_pg_field(res, 0), NULL, 10);
    snprintf(ret->version, sizeof ret->version, "%s", er_pg_field(res, 1));
    snprintf(ret->functions, sizeof ret->functions, "%s", er_pg_field(res, 2));
    PQclear(res);
    if (!ret->schema)
        return errand_error_set(err, ERRAND_ECORRUPT, "the schema version is missing");
    return 0;
}

static int look(struct er_pg *conn, bool force, struct found *ret,
                struct errand_error *err)
{
    bool is_ours, is_foreign;
    int rc = owners_check(conn, err);

    *ret = (struct found){0};
    if (rc < 0 || (rc = look_outside(conn, &is_ours, &is_foreign, err)) < 0)
        return rc;
    if (is_ours)
        return look_inside(conn, ret, err);
    if (is_foreign && !force)
        return errand_error_set(
            err, ERRAND_ECONFLICT,
            "schema '%s' holds tables of another program; nothing was "
            "changed. Name another one with ?schema=NAME, or let "
            "errand add its tables with 'errand migrate --force'",
            conn->place.schema);
    return 0;
}

int er_pg_schema_found(struct er_pg *conn, bool force, int *ret_found,
                       struct errand_error *err)
{
    struct found found;
    int rc = look(conn, force, &found, err);

    if (rc == 0)
        *ret_found = found.schema;
    return rc;
}

/* ------------------------------------------------------------------ raising */

/* "0.5.1" as a number that compares. */
static long version_number(const char *text)
{
    long parts[3] = {0};

    sscanf(text, "%ld.%ld.%ld", &parts[0], &parts[1], &parts[2]);
    return parts[0] * 1000000 + parts[1] * 1000 + parts[2];
}

/* Functions of a newer errand serve an older one of the same schema. */
static bool has_our_functions(const struct found *found)
{
    return strcmp(found->functions, ER_POSTGRES_FUNCTIONS_SUM) == 0 ||
           version_number(found->version) > version_number(ERRAND_VERSION);
}

static int too_new(const struct found *found, struct errand_error *err)
{
    return errand_error_set(
        err, ERRAND_ESCHEMA,
        "written by errand %s (schema %d), this is errand %s "
        "(schema %d)\n        upgrade errand on this machine; nothing "
        "was changed",
        found->version, found->schema, ERRAND_VERSION, ER_POSTGRES_SCHEMA);
}

static int tables_raise(struct er_pg *conn, int from, struct errand_error *err)
{
    int rc;

    if (from == 0 && (rc = exec_expanded(
                          conn,
                          "DO $do$ BEGIN IF to_regnamespace(trim(trailing '.' FROM "
                          "'@.')) IS NULL THEN EXECUTE 'CREATE SCHEMA ' || trim(trailing "
                          "'.' FROM '@.'); END IF; END $do$",
                          NULL, err)) < 0)
        return rc;
    for (int i = from; i < ER_POSTGRES_SCHEMA; i++)
        if ((rc = exec_expanded(conn, er_postgres_migrations[i], NULL, err)) < 0)
            return rc;
    return 0;
}

static int functions_drop(struct er_pg *conn, struct errand_error *err)
{
    return exec_with(conn, "errand.names", ER_POSTGRES_FUNCTIONS, er_postgres_start_drop,
                     NULL, err);
}

static int functions_create(struct er_pg *conn, struct errand_error *err)
{
    int rc;

    /* A function may call one of a later file. */
    if ((rc = er_pg_exec(conn, "SET LOCAL check_function_bodies = off", NULL, err)) < 0)
        return rc;
    for (int i = 0; i < ER_POSTGRES_SCRIPTS; i++)
        if ((rc = exec_expanded(conn, er_postgres_scripts[i].text, NULL, err)) < 0)
            return er_error_wrap(err, rc, "%s.sql", er_postgres_scripts[i].name);
    return exec_expanded(conn, er_postgres_start_grant, NULL, err);
}

static int meta_put(struct er_pg *conn, struct errand_error *err)
{
    char text[512];

    snprintf(text, sizeof text,
             "INSERT INTO @.meta(key, value) VALUES('schema', '%d'), ('version', '%s'), "
             "('functions', '%s') ON CONFLICT(key) DO UPDATE SET value = excluded.value",
             ER_POSTGRES_SCHEMA, ERRAND_VERSION, ER_POSTGRES_FUNCTIONS_SUM);
    return exec_expanded(conn, text, NULL, err);
}

static int raise_locked(struct er_pg *conn, bool force, struct errand_error *err)
{
    struct found found;
    int rc;

    if ((rc = exec_expanded(conn,
                            "SELECT pg_advisory_xact_lock(hashtextextended('errand "
                            "migrate @.', 0))",
                            NULL, err)) < 0)
        return rc;
    /* Who waited for the lock may find it done. */
    if ((rc = look(conn, force, &found, err)) < 0)
        return rc;
    if (found.schema > ER_POSTGRES_SCHEMA)
        return too_new(&found, err);
    if (found.schema == ER_POSTGRES_SCHEMA && has_our_functions(&found))
        return 0;
    if ((rc = exec_expanded(conn, er_postgres_start_role, NULL, err)) < 0 ||
        (found.schema && (rc = functions_drop(conn, err)) < 0) ||
        (rc = tables_raise(conn, found.schema, err)) < 0 ||
        (rc = functions_create(conn, err)) < 0)
        return rc;
    return meta_put(conn, err);
}

static int raise_to_ours(struct er_pg *conn, bool force, struct errand_error *err)
{
    int rc = er_pg_exec(conn, "BEGIN ISOLATION LEVEL READ COMMITTED", NULL, err);

    if (rc < 0)
        return rc;
    if ((rc = raise_locked(conn, force, err)) < 0) {
        if (conn->pg)
            er_pg_exec(conn, "ROLLBACK", NULL, NULL);
        return er_error_wrap(err, rc, "raising the schema to %d", ER_POSTGRES_SCHEMA);
    }
    return er_pg_exec(conn, "COMMIT", NULL, err);
}

/* ------------------------------------------------------------------ at the start */

static int settings_read(struct er_pg *conn, struct errand_error *err)
{
    static const char sql[] =
        "SELECT salt, pg_backend_pid(),"
        " current_setting('default_transaction_isolation') <> 'read committed'"
        " OR current_setting('synchronous_commit') = 'off' FROM @.root";
    PGresult *res;
    int rc = exec_expanded(conn, sql, &res, err);

    if (rc < 0)
        return rc;
    conn->salt = strtoll(er_pg_field(res, 0), NULL, 10);
    /* A pooler answers for many server processes and tells a number of its own. */
    conn->is_direct = strtol(er_pg_field(res, 1), NULL, 10) == PQbackendPID(conn->pg);
    conn->needs_settings = *er_pg_field(res, 2) == 't';
    PQclear(res);
    return 0;
}

bool er_pg_salt_renew(struct er_pg *conn)
{
    int64_t before = conn->salt;

    if (!conn->is_salt_old)
        return false;
    conn->is_salt_old = false;
    return settings_read(conn, NULL) == 0 && conn->salt != before;
}

int er_pg_schema_check(struct er_pg *conn, const struct errand_open_params *p,
                       struct errand_error *err)
{
    struct found found;
    int rc = look(conn, p->force, &found, err);

    if (rc < 0)
        return rc;
    if (found.schema > ER_POSTGRES_SCHEMA)
        return too_new(&found, err);
    if (found.schema == ER_POSTGRES_SCHEMA && has_our_functions(&found))
        return settings_read(conn, err);
    if (p->create && !p->read_only)
        return (rc = raise_to_ours(conn, p->force, err)) < 0 ? rc
                                                             : settings_read(conn, err);
    if (found.schema == 0)
        return errand_error_set(err, ERRAND_ENOTFOUND,
                                "schema '%s' holds no errand store yet; 'errand migrate' "
                                "makes it",
                                conn->place.schema);
    return errand_error_set(err, ERRAND_ESCHEMA,
                            "has schema %d of errand %s, this is errand %s (schema "
                            "%d)\n        run 'errand migrate'; nothing was changed",
                            found.schema, found.version, ERRAND_VERSION,
                            ER_POSTGRES_SCHEMA);
}
