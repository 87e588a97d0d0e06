/* place.c: which server has the store. Where the URL says; the master that Sentinel
 * names; the node of a Cluster that owns our slot, which any node knows. */
#include "store/redis/redis.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/redis/wake.h"

/* ------------------------------------------------------------------ links */

static struct er_redis_login login_of(const struct er_redis_target *t)
{
    return (struct er_redis_login){t->user, t->password, t->db};
}

void er_place_disconnect(struct er_redis *conn)
{
    if (conn->link)
        redisFree(conn->link);
    conn->link = NULL;
}

static int place_set(struct er_redis *conn, const struct er_redis_address *to,
                     redisContext *link, struct errand_error *err)
{
    char *host = strdup(to->host);

    if (!host) {
        redisFree(link);
        return er_error_nomem(err);
    }
    free((char *)conn->place.host);
    conn->place = (struct er_redis_address){host, to->port};
    er_place_disconnect(conn);
    conn->link = link;
    conn->generation++;
    er_redis_wake_moved(conn);
    return 0;
}

static int go(struct er_redis *conn, const struct er_redis_address *to,
              struct errand_error *err)
{
    struct er_redis_login login = login_of(&conn->target);
    redisContext *link = NULL;
    int rc = er_link_make(conn, to, &login, &link, err);

    return rc < 0 ? rc : place_set(conn, to, link, err);
}

int er_redis_connect(struct er_redis *conn, redisContext **ret, struct errand_error *err)
{
    struct er_redis_login login = login_of(&conn->target);
    int rc;

    if (!conn->link && (rc = er_place_connect(conn, err)) < 0)
        return rc;
    return er_link_make(conn, &conn->place, &login, ret, err);
}

/* ------------------------------------------------------------------ Sentinel */

static int master_read(const redisReply *reply, struct er_redis *conn,
                       struct errand_error *err)
{
    struct er_redis_address to;

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        !reply->element[0]->str || !reply->element[1]->str)
        return errand_error_set(err, ERRAND_EUNAVAILABLE, "Sentinel knows no master '%s'",
                                conn->target.master);
    to.host = reply->element[0]->str;
    to.port = (int)strtol(reply->element[1]->str, NULL, 10);
    return go(conn, &to, err);
}

/* Sentinel may still name the one that has just lost its place. */
static int master_check(struct er_redis *conn, struct errand_error *err)
{
    redisReply *reply = NULL;
    int rc = er_link_command(conn->link, &reply, err, "ROLE");

    if (rc == 0 &&
        (reply->type != REDIS_REPLY_ARRAY || !reply->elements ||
         !reply->element[0]->str || strcmp(reply->element[0]->str, "master") != 0))
        rc = errand_error_set(err, ERRAND_EUNAVAILABLE,
                              "the server that Sentinel names is not a master (yet)");
    if (reply)
        freeReplyObject(reply);
    if (rc < 0)
        er_place_disconnect(conn);
    return rc;
}

static int by_sentinel(struct er_redis *conn, const struct er_redis_address *sentinel,
                       struct errand_error *err)
{
    const struct er_redis_target *t = &conn->target;
    struct er_redis_login login = {t->sentinel_user, t->sentinel_password, 0};
    redisContext *link = NULL;
    redisReply *reply = NULL;
    int rc;

    if ((rc = er_link_make(conn, sentinel, &login, &link, err)) < 0)
        return er_error_wrap(err, rc, "asking Sentinel");
    rc = er_link_command(link, &reply, err, "SENTINEL get-master-addr-by-name %s",
                         t->master);
    if (rc == 0)
        rc = master_read(reply, conn, err);
    if (reply)
        freeReplyObject(reply);
    redisFree(link);
    return rc < 0 ? rc : master_check(conn, err);
}

/* ------------------------------------------------------------------ whole */

/* The first of the addresses that works. In a Cluster any node does: the first call is
 * told where our slot is (MOVED). */
int er_place_connect(struct er_redis *conn, struct errand_error *err)
{
    const struct er_redis_target *t = &conn->target;
    int rc = ERRAND_EUNAVAILABLE;

    for (size_t i = 0; i < t->addresses_n; i++) {
        rc = t->kind == ER_REDIS_SENTINEL ? by_sentinel(conn, &t->addresses[i], err)
                                          : go(conn, &t->addresses[i], err);
        if (rc == 0)
            return 0;
    }
    return rc;
}

/* An address without a host means the one that answered. */
int er_place_follow(struct er_redis *conn, const char *moved, struct errand_error *err)
{
    const char *slot = strchr(moved, ' ');
    const char *place = slot ? strchr(slot + 1, ' ') : NULL;
    const char *colon = place ? strrchr(place, ':') : NULL;
    struct er_redis_address to;
    char *host;
    int rc;

    if (conn->target.kind != ER_REDIS_CLUSTER || !colon)
        return er_redis_error("MOVED", err);
    if (!(host = strndup(colon > place + 1 ? place + 1 : conn->place.host,
                         colon > place + 1 ? (size_t)(colon - place - 1)
                                           : strlen(conn->place.host))))
        return er_error_nomem(err);
    to = (struct er_redis_address){host, (int)strtol(colon + 1, NULL, 10)};
    rc = go(conn, &to, err);
    free(host);
    return rc;
}
