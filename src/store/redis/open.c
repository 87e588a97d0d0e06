/* open.c: opening a store, closing it, and letting go of it after a fork. */
#include "store/redis/redis.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "core/backoff.h"
#include "store/redis/driver.h"
#include "store/redis/server.h"

static int conn_fill(struct er_redis *conn, const char *url,
                     const struct errand_open_params *p, struct errand_error *err)
{
    int rc;

    if (!(conn->arena = er_arena_new()) ||
        !(conn->url = errand_arena_copy(conn->arena, url, strlen(url))))
        return er_error_nomem(err);
    if ((rc = er_redis_target_parse(conn->url, conn->arena, &conn->target, err)) < 0)
        return rc;
    conn->meta_key = er_arena_printf(conn->arena, "{%s}:meta", conn->target.prefix);
    conn->none_key = er_arena_printf(conn->arena, "{%s}:none", conn->target.prefix);
    conn->inbox_key = er_arena_printf(conn->arena, "{%s}:inbox:%d", conn->target.prefix,
                                      ER_REDIS_SCHEMA);
    conn->ready_channel =
        er_arena_printf(conn->arena, "{%s}:w:%d", conn->target.prefix, ERRAND_WAIT_READY);
    if (!conn->meta_key || !conn->none_key || !conn->inbox_key || !conn->ready_channel)
        return er_error_nomem(err);
    conn->is_read_only = p->read_only;
    conn->busy_ms = p->busy_ms;
    conn->keep_ms = p->keep_completed_ms;
    conn->keep_n = p->keep_completed_n;
    conn->random = er_backoff_seed();
    conn->beat_number = (int64_t)(er_backoff_seed() >> 16);
    return 0;
}

/* Connects with the first call, or here: what is wrong with the URL is told at once and
 * not waited for. */
int er_redis_conn_new(const char *url, const struct errand_open_params *p,
                      struct er_redis **ret, struct errand_error *err)
{
    struct er_redis *conn = calloc(1, sizeof *conn);
    int rc;

    if (!conn)
        return er_error_nomem(err);
    conn->base.driver = &errand_store_module;
    er_buf_init(&conn->pack, 0);
    er_buf_init(&conn->wire, SIZE_MAX);
    if ((rc = conn_fill(conn, url, p, err)) < 0 ||
        (rc = er_place_connect(conn, err)) < 0 ||
        (rc = er_redis_server_check(conn, p, err)) < 0) {
        er_redis_close(&conn->base);
        return rc;
    }
    *ret = conn;
    return 0;
}

static int open_url(const char *url, const struct errand_open_params *p,
                    struct errand_conn **ret_conn, struct errand_error *err)
{
    bool create = p->create && !p->read_only;
    struct er_redis *conn = NULL;
    int found = 0, rc;

    if ((rc = er_redis_conn_new(url, p, &conn, err)) < 0)
        return rc;
    rc = er_redis_migrate(conn, create, &found, err);
    if (rc == 0 && !found && !create)
        rc = errand_error_set(err, ERRAND_ENOTFOUND, "there is no store with prefix '%s'",
                              conn->target.prefix);
    if (rc == 0 && found && found < ER_REDIS_SCHEMA && !create)
        rc = er_redis_no_schema(found, err);
    if (rc < 0) {
        er_redis_close(&conn->base);
        return rc;
    }
    *ret_conn = &conn->base;
    return 0;
}

int er_redis_open(const struct errand_open_params *p, struct errand_conn **ret_conn,
                  struct errand_error *err)
{
    return open_url(p->url, p, ret_conn, err);
}

int er_redis_again(struct errand_conn *conn, const struct errand_open_params *p,
                   struct errand_conn **ret_conn, struct errand_error *err)
{
    return open_url(((struct er_redis *)conn)->url, p, ret_conn, err);
}

static void conn_free(struct er_redis *conn)
{
    free((char *)conn->place.host);
    er_buf_done(&conn->pack);
    er_buf_done(&conn->wire);
    free(conn->args);
    free(conn->argv);
    free(conn->argv_lens);
    er_arena_free(conn->arena);
    free(conn);
}

void er_redis_close(struct errand_conn *base)
{
    struct er_redis *conn = (struct er_redis *)base;

    if (!conn)
        return;
    er_place_disconnect(conn);
    er_redis_wake_free(conn->wake);
    conn_free(conn);
}

/* What belongs to the parent as well (a TLS session) is not ended by this, only freed. */
void er_redis_abandon(struct errand_conn *base)
{
    er_redis_close(base);
}
