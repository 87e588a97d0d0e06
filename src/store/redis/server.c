/* server.c: what the server is and how it is set, as far as promises hang on it.
 *
 * INFO says nearly all of it. How often the log is synced only CONFIG GET says, which
 * hosted servers and careful administrators forbid: then that is not known, and a promise
 * that needs it is not given. */
#include "store/redis/server.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"

enum { VERSION_MIN = 7, WORD_MAX = 32, REMARKS_MAX = 8 };

struct facts {
    char version[WORD_MAX], policy[WORD_MAX], role[WORD_MAX], fsync[WORD_MAX];
    int64_t memory_max, replicas_n;
    bool has_log; /* the append-only file */
};

/* ------------------------------------------------------------------ asking */

/* The line "name:value" of INFO, or "". */
static void info_word(const char *info, const char *name, char ret[WORD_MAX])
{
    const char *at = info;
    size_t len = strlen(name), n;

    ret[0] = '\0';
    while (at && (strncmp(at, name, len) != 0 || at[len] != ':'))
        at = (at = strchr(at, '\n')) ? at + 1 : NULL;
    if (!at)
        return;
    at += len + 1;
    n = strcspn(at, "\r\n");
    n = n < WORD_MAX ? n : WORD_MAX - 1;
    memcpy(ret, at, n);
    ret[n] = '\0';
}

static int64_t info_number(const char *info, const char *name)
{
    char word[WORD_MAX];

    info_word(info, name, word);
    return strtoll(word, NULL, 10);
}

/* What is not told is "". */
static void fsync_ask(redisContext *link, char ret[WORD_MAX])
{
    redisReply *reply = NULL;
    int rc = er_link_command(link, &reply, NULL, "CONFIG GET appendfsync");

    ret[0] = '\0';
    if (rc == 0 && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
        reply->element[1]->type == REDIS_REPLY_STRING &&
        reply->element[1]->len < WORD_MAX)
        memcpy(ret, reply->element[1]->str, (size_t)reply->element[1]->len + 1);
    if (reply)
        freeReplyObject(reply);
}

static int facts_ask(struct er_redis *conn, struct facts *ret, struct errand_error *err)
{
    redisReply *reply = NULL;
    int rc;

    if (!conn->link && (rc = er_place_connect(conn, err)) < 0)
        return rc;
    rc = er_link_command(conn->link, &reply, err, "INFO");
    if (rc == 0 && reply->type != REDIS_REPLY_STRING)
        rc = errand_error_set(err, ERRAND_EUNAVAILABLE, "INFO answers something else");
    if (rc == 0) {
        info_word(reply->str, "redis_version", ret->version);
        info_word(reply->str, "maxmemory_policy", ret->policy);
        info_word(reply->str, "role", ret->role);
        ret->memory_max = info_number(reply->str, "maxmemory");
        ret->replicas_n = info_number(reply->str, "connected_slaves");
        ret->has_log = info_number(reply->str, "aof_enabled") != 0;
        fsync_ask(conn->link, ret->fsync);
    }
    if (reply)
        freeReplyObject(reply);
    if (conn->link->err)
        er_place_disconnect(conn);
    return rc;
}

/* ------------------------------------------------------------------ at start */

/* The policies that begin with "volatile-" only take keys that are to end by themselves:
 * errand has none. */
static bool is_evicting(const struct facts *f)
{
    return strncmp(f->policy, "allkeys-", strlen("allkeys-")) == 0;
}

static bool survives_power_loss(const struct facts *f)
{
    return f->has_log && strcmp(f->fsync, "always") == 0;
}

static int refuse_full(const struct facts *f, struct errand_error *err)
{
    if (f->has_log && !f->fsync[0])
        return errand_error_set(
            err, ERRAND_EUNSUPPORTED,
            "durable: full needs appendfsync always, and the server does not tell how it "
            "is set: allow its user 'config|get', or ask for durable: normal");
    return errand_error_set(
        err, ERRAND_EUNSUPPORTED,
        "durable: full needs the server's appendonly yes and appendfsync always "
        "(it has appendonly %s%s%s): set them, or ask for durable: normal",
        f->has_log ? "yes" : "no", f->has_log ? ", appendfsync " : "",
        f->has_log ? f->fsync : "");
}

int er_redis_server_check(struct er_redis *conn, const struct errand_open_params *p,
                          struct errand_error *err)
{
    struct facts f = {{0}};
    int rc;

    if ((rc = facts_ask(conn, &f, err)) < 0)
        return rc;
    if (strtol(f.version, NULL, 10) < VERSION_MIN)
        return errand_error_set(err, ERRAND_EUNSUPPORTED,
                                "the server is Redis %s: errand needs Redis %d or "
                                "later, or Valkey",
                                f.version, VERSION_MIN);
    /* A node of a Cluster says by itself who has the store. */
    if (conn->target.kind == ER_REDIS_PLAIN && !p->read_only &&
        strcmp(f.role, "slave") == 0)
        return errand_error_set(err, ERRAND_EREADONLY,
                                "the server is a replica, which can only be read: the "
                                "URL must lead to the master");
    if (is_evicting(&f) && f.memory_max && !p->force)
        return errand_error_set(
            err, ERRAND_EUNSUPPORTED,
            "the server throws keys away when its memory is full (maxmemory-policy %s), "
            "so it would lose jobs: set maxmemory-policy noeviction",
            f.policy);
    if (p->durable == ERRAND_DURABLE_FULL && !survives_power_loss(&f) && !p->force)
        return refuse_full(&f, err);
    conn->durable = p->durable;
    return 0;
}

/* ------------------------------------------------------------------ remarks */

static void remark(struct errand_remarks_result *r, const char *text, const char *remedy)
{
    if (text && r->remarks_n < REMARKS_MAX)
        r->remarks[r->remarks_n++] = (struct errand_remark){text, remedy};
}

static void remark_memory(const struct facts *f, struct errand_arena *arena,
                          struct errand_remarks_result *r)
{
    if (!is_evicting(f))
        return;
    remark(r,
           er_arena_printf(arena,
                           f->memory_max
                               ? "the server throws jobs away when its memory is full "
                                 "(maxmemory-policy %s)"
                               : "the server would throw jobs away once it has a "
                                 "maxmemory (maxmemory-policy %s)",
                           f->policy),
           "set maxmemory-policy noeviction");
}

static void remark_log(const struct er_redis *conn, const struct facts *f,
                       struct errand_remarks_result *r)
{
    if (!f->has_log)
        remark(r,
               "the server keeps no log (appendonly no): when it ends, what came after "
               "its last snapshot is lost, jobs that were accepted as well",
               "set appendonly yes");
    else if (strcmp(f->fsync, "no") == 0)
        remark(r,
               "the server leaves its log to the system (appendfsync no): loss of power "
               "loses some 30 s",
               "set appendfsync everysec, or always");
    else if (conn->durable == ERRAND_DURABLE_FULL && !survives_power_loss(f))
        remark(r, "durable: full is asked for, and the server does not keep it",
               "set appendfsync always");
}

static void remark_replicas(const struct er_redis *conn, const struct facts *f,
                            struct errand_remarks_result *r)
{
    if (conn->target.kind == ER_REDIS_PLAIN)
        return;
    if (!f->replicas_n)
        remark(r, "the master has no replica: there is nothing to fail over to", NULL);
    else if (conn->durable == ERRAND_DURABLE_FULL)
        remark(r,
               "replicas follow a moment later: a failover can lose what was accepted "
               "just before it, durable: full or not",
               "set min-replicas-to-write 1 to keep that short");
}

int er_redis_op_remarks(struct errand_conn *base, struct errand_arena *arena,
                        struct errand_remarks_result *ret, struct errand_error *err)
{
    struct er_redis *conn = (struct er_redis *)base;
    struct facts f = {{0}};
    int rc;

    if ((rc = facts_ask(conn, &f, err)) < 0)
        return rc;
    if (!(ret->remarks = errand_arena_alloc(arena, REMARKS_MAX * sizeof *ret->remarks)))
        return er_error_nomem(err);
    remark_memory(&f, arena, ret);
    remark_log(conn, &f, ret);
    remark_replicas(conn, &f, ret);
    return 0;
}
