/* call.c: running a script, and what there is to do when that does not work at once.
 *
 * A server that is away, that loads, that has another master now or is busy with somebody
 * else's script is waited for, with growing pauses of random length, as long as busy_ms
 * says. What was sent and not answered is sent again only where that is harmless. */
#include "store/redis/redis.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "core/backoff.h"
#include "core/clock.h"
#include "store/redis/quiet.h"
#include "store/redis/resp.h"

enum { REDIRECTS_MAX = 8, FIXED_ARGS = 5 };
#define UNTAKEN_WORDS "ERRAND UNTAKEN "

/* How a try ended: done, or what to do about it. */
enum verdict {
    DONE,
    FAILED,   /* for good */
    REFUSED,  /* nothing was done: wait and try again */
    LOST,     /* nobody knows */
    MOVED,    /* elsewhere, at once */
    UNLOADED, /* the server does not know the script */
    UNTAKEN,  /* what is in the inbox has to be put in its place first */
};

/* ------------------------------------------------------------------ one try */

static int argv_room(struct er_redis *conn, size_t n)
{
    const char **argv;
    size_t *lens;

    if (n <= conn->argv_size)
        return 0;
    if ((argv = realloc(conn->argv, 2 * n * sizeof *argv)))
        conn->argv = argv;
    if ((lens = realloc(conn->argv_lens, 2 * n * sizeof *lens)))
        conn->argv_lens = lens;
    if (!argv || !lens)
        return -1;
    conn->argv_size = 2 * n;
    return 0;
}

static void argv_set(struct er_redis *conn, size_t i, const char *text)
{
    conn->argv[i] = text;
    conn->argv_lens[i] = strlen(text);
}

/* EVALSHA sha 2 {PREFIX}:meta {PREFIX}:none ARGV…
 *
 * A Cluster moves a slot key by key, and a script whose keys were half here and half
 * there would take the missing ones for empty. The other key is never there: that makes a
 * node answer TRYAGAIN as long as its slot is on its way, and nothing runs before it has
 * come. */
static int argv_fill(const struct er_call *call)
{
    struct er_redis *conn = call->conn;

    if (conn->pack.has_failed || argv_room(conn, FIXED_ARGS + conn->args_n) < 0)
        return -1;
    argv_set(conn, 0, "EVALSHA");
    argv_set(conn, 1, er_lua_texts[call->script].sha);
    argv_set(conn, 2, "2");
    argv_set(conn, 3, conn->meta_key);
    argv_set(conn, 4, conn->none_key);
    for (size_t i = 0; i < conn->args_n; i++) {
        const struct er_redis_arg *arg = &conn->args[i];
        conn->argv[FIXED_ARGS + i] = arg->ptr ? arg->ptr : conn->pack.ptr + arg->at;
        conn->argv_lens[FIXED_ARGS + i] = arg->len;
    }
    return 0;
}

static enum verdict verdict_of(const char *reply)
{
    if (strncmp(reply, "NOSCRIPT", 8) == 0)
        return UNLOADED;
    if (strncmp(reply, UNTAKEN_WORDS, strlen(UNTAKEN_WORDS)) == 0)
        return UNTAKEN;
    if (strncmp(reply, "MOVED ", 6) == 0 || strncmp(reply, "ASK ", 4) == 0)
        return MOVED;
    return er_redis_is_passing(reply) ? REFUSED : FAILED;
}

static enum verdict send_it(struct er_call *call, struct errand_error *err)
{
    struct er_redis *conn = call->conn;

    er_buf_reset(&conn->wire);
    er_resp_add(&conn->wire, FIXED_ARGS + conn->args_n, conn->argv, conn->argv_lens);
    if (conn->wire.has_failed) {
        er_error_nomem(err);
        return FAILED;
    }
    if (er_quiet_pipe(conn->link, conn->wire.ptr, conn->wire.len, &call->reply, 1) < 0) {
        er_link_error(conn->link, err, "waiting for the answer");
        er_place_disconnect(conn);
        return LOST;
    }
    if (call->reply->type != REDIS_REPLY_ERROR)
        return DONE;
    er_redis_error(call->reply->str, err);
    return verdict_of(call->reply->str);
}

static int load(const struct er_call *call, enum er_lua script, struct errand_error *err)
{
    redisReply *reply = NULL;
    int rc = er_link_command(call->conn->link, &reply, err, "SCRIPT LOAD %s",
                             er_lua_texts[script].text);

    if (reply)
        freeReplyObject(reply);
    if (rc < 0 && call->conn->link->err)
        er_place_disconnect(call->conn);
    return rc;
}

/* One stretch of the inbox. *ret is how much is left. */
static int take_in_some(struct er_call *call, int64_t *ret, struct errand_error *err)
{
    const struct er_redis *conn = call->conn;
    redisReply *reply = NULL;
    int rc =
        er_link_command(conn->link, &reply, err, "EVALSHA %s 2 %s %s %b",
                        er_lua_texts[ER_LUA_TAKE_IN].sha, conn->meta_key, conn->none_key,
                        conn->argv[FIXED_ARGS], conn->argv_lens[FIXED_ARGS]);

    *ret = 1;
    if (rc < 0 && reply && verdict_of(reply->str) == UNLOADED)
        rc = load(call, ER_LUA_TAKE_IN, err);
    else if (rc == 0)
        *ret = reply->elements == 1 ? reply->element[0]->integer : 0;
    if (reply)
        freeReplyObject(reply);
    if (rc < 0 && conn->link && conn->link->err)
        er_place_disconnect(call->conn);
    return rc;
}

/* A look that cannot put things in their places, where nobody can or may, is content with
 * what is there; else it has done so now, and passes over what has come since. */
static int take_in(struct er_call *call, struct errand_error *err)
{
    struct er_redis *conn = call->conn;
    bool is_look = strcmp(call->reply->str, UNTAKEN_WORDS "at all") == 0;
    int64_t left = 1;
    int rc = 0;

    while (left && (rc = take_in_some(call, &left, err)) == 0)
        ;
    if (is_look && (rc == 0 || (conn->is_read_only && conn->link))) {
        call->as_is[0] = '-';
        memcpy(call->as_is + 1, conn->argv[FIXED_ARGS], conn->argv_lens[FIXED_ARGS]);
        conn->argv[FIXED_ARGS] = call->as_is;
        conn->argv_lens[FIXED_ARGS]++;
        rc = 0;
    }
    return rc;
}

/* A slot that is on its way: this one call is answered by the node that gets it, after
 * ASKING. The slot is whole again soon; until then each call asks. */
static int ask(struct er_call *call, const char *reply, struct errand_error *err)
{
    redisReply *asked = NULL;
    int rc = er_place_follow(call->conn, reply, err);

    if (rc == 0 && strncmp(reply, "ASK ", 4) == 0)
        rc = er_link_command(call->conn->link, &asked, err, "ASKING");
    if (asked)
        freeReplyObject(asked);
    return rc;
}

static void reply_drop(struct er_call *call)
{
    if (call->reply)
        freeReplyObject(call->reply);
    call->reply = NULL;
}

/* One try, with all that can be put right at once. */
static enum verdict attempt(struct er_call *call, struct errand_error *err)
{
    enum verdict verdict = REFUSED;
    int rc;

    if (!call->conn->link && (rc = er_place_connect(call->conn, err)) < 0)
        return rc == ERRAND_EUNAVAILABLE || rc == ERRAND_EBUSY ? REFUSED : FAILED;
    for (int i = 0; i < REDIRECTS_MAX; i++) {
        verdict = send_it(call, err);
        rc = 0;
        if (verdict == UNLOADED)
            rc = load(call, call->script, err);
        else if (verdict == UNTAKEN)
            rc = take_in(call, err);
        else if (verdict == MOVED)
            rc = ask(call, call->reply->str, err);
        if (verdict == DONE)
            return verdict;
        reply_drop(call);
        if (verdict != UNLOADED && verdict != MOVED && verdict != UNTAKEN)
            return verdict;
        if (rc < 0)
            return rc == ERRAND_EUNAVAILABLE || rc == ERRAND_EBUSY ? REFUSED : FAILED;
    }
    return REFUSED;
}

/* ------------------------------------------------------------------ all tries */

/* A server that lost its place (a master that became a replica) is left, and asked for
 * anew. */
static void before_again(struct er_call *call, int64_t pause_ms)
{
    if (call->conn->target.kind != ER_REDIS_PLAIN)
        er_place_disconnect(call->conn);
    er_clock_sleep_ms(pause_ms);
}

static int run(struct er_call *call, struct errand_error *err)
{
    int64_t until_ms = er_clock_mono_ms(NULL) + call->conn->busy_ms;
    enum verdict verdict;
    int rc, tries = 0;

    if (argv_fill(call) < 0)
        return er_error_nomem(err);
    if ((rc = er_failpoint_commit(call->name, "before", err)) < 0)
        return rc;
    while ((verdict = attempt(call, err)) != DONE) {
        int64_t pause_ms =
            er_backoff_call_ms(++tries, er_backoff_random(&call->conn->random));
        if (verdict == FAILED || (verdict == LOST && call->repeat == ER_REPEAT_NO) ||
            er_clock_mono_ms(NULL) + pause_ms > until_ms)
            return err->code;
        call->was_repeated |= verdict == LOST;
        before_again(call, pause_ms);
    }
    return er_failpoint_commit(call->name, "after", err);
}

int er_call_once(struct er_call *call)
{
    struct errand_error err = {0};

    return argv_fill(call) == 0 && attempt(call, &err) == DONE ? 0 : -1;
}

/* What went wrong before it worked is nobody's error. */
int er_call_run(struct er_call *call, struct errand_error *err)
{
    struct errand_error own = {0};
    int rc = run(call, &own);

    if (rc < 0 && err)
        *err = own;
    return rc;
}
