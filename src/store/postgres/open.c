/* open.c: opening and closing a connection. */
#include "store/postgres/open.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "core/backoff.h"
#include "core/clock.h"
#include "postgres_sql.h"
#include "store/postgres/wait.h"

enum { SQL_MAX = 4 << 20 };

static struct er_pg *conn_new(const struct errand_open_params *p)
{
    struct er_pg *conn = calloc(1, sizeof *conn);

    if (!conn)
        return NULL;
    conn->base.driver = &errand_store_module;
    conn->is_read_only = p->read_only;
    conn->busy_ms = p->busy_ms;
    conn->keep_ms = p->keep_completed_ms;
    conn->keep_n = p->keep_completed_n;
    conn->random = er_backoff_seed();
    er_buf_init(&conn->sql, SQL_MAX);
    return conn;
}

void er_pg_close(struct errand_conn *base)
{
    struct er_pg *conn = (struct er_pg *)base;

    if (!conn)
        return;
    er_pg_wait_close(conn->wait);
    er_pg_disconnect(conn);
    er_pg_place_done(&conn->place);
    er_buf_done(&conn->sql);
    free(conn);
}

/* PQfinish() would say goodbye on the parent's connection: its descriptor alone goes, and
 * libpq's memory stays. */
void er_pg_abandon(struct errand_conn *base)
{
    struct er_pg *conn = (struct er_pg *)base;

    if (conn->pg && PQsocket(conn->pg) >= 0)
        close(PQsocket(conn->pg));
    conn->pg = NULL;
    er_pg_wait_abandon(conn->wait);
    conn->wait = NULL;
    er_pg_close(base);
}

static int start(struct er_pg *conn, const struct errand_open_params *p,
                 struct errand_error *err)
{
    int rc = er_pg_connect(conn, er_clock_mono_ms(NULL) + conn->busy_ms, err);

    return rc < 0 ? rc : er_pg_schema_check(conn, p, err);
}

int er_pg_open(const struct errand_open_params *p, struct errand_conn **ret_conn,
               struct errand_error *err)
{
    struct er_pg *conn = conn_new(p);
    int rc;

    if (!conn)
        return er_error_nomem(err);
    if ((rc = er_pg_place_parse(p->url, &conn->place, err)) < 0 ||
        (rc = start(conn, p, err)) < 0) {
        er_pg_close(&conn->base);
        return rc;
    }
    *ret_conn = &conn->base;
    return 0;
}

int er_pg_again(struct errand_conn *base, const struct errand_open_params *p,
                struct errand_conn **ret_conn, struct errand_error *err)
{
    struct er_pg *conn = conn_new(p);
    int rc;

    if (!conn || er_pg_place_copy(&((struct er_pg *)base)->place, &conn->place) < 0) {
        er_pg_close(conn ? &conn->base : NULL);
        return er_error_nomem(err);
    }
    if ((rc = start(conn, p, err)) < 0) {
        er_pg_close(&conn->base);
        return rc;
    }
    *ret_conn = &conn->base;
    return 0;
}

int er_pg_migrate(const struct errand_open_params *p, bool apply,
                  struct errand_migrate_result *ret, struct errand_error *err)
{
    struct errand_open_params params = *p;
    struct er_pg *conn = conn_new(p);
    int found = 0, rc;

    if (!conn)
        return er_error_nomem(err);
    if ((rc = er_pg_place_parse(p->url, &conn->place, err)) < 0 ||
        (rc = er_pg_connect(conn, er_clock_mono_ms(NULL) + conn->busy_ms, err)) < 0 ||
        (rc = er_pg_schema_found(conn, p->force, &found, err)) < 0)
        goto out;
    params.create = true;
    params.read_only = false;
    if (apply && (rc = er_pg_schema_check(conn, &params, err)) < 0)
        goto out;
    *ret = (struct errand_migrate_result){found, ER_POSTGRES_SCHEMA};
out:
    er_pg_close(&conn->base);
    return rc;
}
