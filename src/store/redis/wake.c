/* wake.c: a second connection that hears of what happens, so that nobody polls.
 *
 * A script that brings something about publishes on one channel for each kind of it, in
 * the store's own slot; who sleeps is subscribed to the channels of what it waits for.
 * The subscriptions are all that says so: the server drops them with the connection, so a
 * crash leaves nothing behind, and to publish where nobody listens costs a look into an
 * empty table. Arming waits until the server has confirmed them; from then on nothing is
 * missed. A flag in a key would have to be written by every sleeper and would outlive it.
 *
 * What wait_fd gives out is an epoll descriptor around the socket: it stays the same when
 * the connection is made anew. A connection that dies makes it readable, and the look
 * that follows is armed on a new one first. */
#include "store/redis/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "core/clock.h"
#include "store/redis/quiet.h"

enum {
    WAIT_BITS = 5,
    ALL_BITS = (1 << WAIT_BITS) - 1,
    CHANNEL_MAX = ER_REDIS_PREFIX_MAX + 16,
    CONFIRM_MS = 5000, /* how long a server may take to confirm */
    REST_CALLS = 32,
    TRIES = 3, /* a connection that died, and a store that has moved */
};

struct er_redis_wake {
    int epoll, event;    /* event: readable without anything from the server */
    redisContext *link;  /* NULL: not connected */
    uint64_t generation; /* of the store's own connection when this one was made */
    bool had_link;       /* in this call: then it is worth a new one */
    uint32_t subscribed; /* in the server's eyes, once `pending` is 0 */
    size_t pending;      /* confirmations to come */
    int calls;           /* of the store since it was armed */
};

/* ------------------------------------------------------------------ descriptors */

static void link_drop(struct er_redis_wake *wake)
{
    if (wake->link)
        redisFree(wake->link); /* closing takes it out of the epoll set, too */
    wake->link = NULL;
    wake->subscribed = 0;
    wake->pending = 0;
}

void er_redis_wake_free(struct er_redis_wake *wake)
{
    if (!wake)
        return;
    link_drop(wake);
    if (wake->event >= 0)
        close(wake->event);
    if (wake->epoll >= 0)
        close(wake->epoll);
    free(wake);
}

static int watch(struct er_redis_wake *wake, int fd, struct errand_error *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};

    if (epoll_ctl(wake->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
        return 0;
    return er_error_errno(err, ERRAND_EIO, errno, "watching a connection");
}

static int wake_make(struct er_redis *conn, struct errand_error *err)
{
    struct er_redis_wake *wake;
    int rc;

    if (conn->wake)
        return 0;
    if (!(wake = calloc(1, sizeof *wake)))
        return er_error_nomem(err);
    wake->epoll = epoll_create1(EPOLL_CLOEXEC);
    wake->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake->epoll < 0 || wake->event < 0)
        rc = er_error_errno(err, ERRAND_EIO, errno, "making a descriptor to wait on");
    else
        rc = watch(wake, wake->event, err);
    if (rc < 0) {
        er_redis_wake_free(wake);
        return rc;
    }
    conn->wake = wake;
    return 0;
}

static void event_set(struct er_redis_wake *wake)
{
    const uint64_t one = 1;

    /* A full counter is readable as well: the result does not matter. */
    if (write(wake->event, &one, sizeof one) < 0)
        return;
}

static void event_clear(struct er_redis_wake *wake)
{
    uint64_t count;

    if (read(wake->event, &count, sizeof count) < 0)
        return;
}

/* ------------------------------------------------------------------ the connection */

static int link_failed(struct er_redis_wake *wake, const char *why,
                       struct errand_error *err)
{
    int rc = errand_error_set(err, ERRAND_EUNAVAILABLE, "the connection for wake-ups: %s",
                              why);

    link_drop(wake);
    return rc;
}

static int link_make(struct er_redis *conn, struct errand_error *err)
{
    struct er_redis_wake *wake = conn->wake;
    int flags, rc;

    if (wake->link)
        return 0;
    rc = er_redis_connect(conn, &wake->link, err);
    if (rc < 0 && conn->link) {
        /* Where it leads is a place of yesterday. */
        er_place_disconnect(conn);
        rc = er_redis_connect(conn, &wake->link, err);
    }
    if (rc < 0)
        return rc;
    wake->had_link = true;
    wake->generation = conn->generation;
    flags = fcntl(wake->link->fd, F_GETFL);
    wake->link->flags &= ~REDIS_BLOCK;
    if (flags < 0 || fcntl(wake->link->fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return link_failed(wake, strerror(errno), err);
    if ((rc = watch(wake, wake->link->fd, err)) < 0)
        link_drop(wake);
    return rc;
}

/* A slot that has moved is looked for where the server says. */
static int refused(struct er_redis *conn, const char *reply, struct errand_error *err)
{
    int rc = strncmp(reply, "MOVED ", 6) == 0 ? er_place_follow(conn, reply, err) : 0;

    link_drop(conn->wake);
    return rc < 0 ? rc : er_redis_error(reply, err);
}

/* "ssubscribe", "sunsubscribe": an answer to what was asked, but for a slot that moves
 * away, of which the server tells with the latter unasked. */
static int reply_take(struct er_redis *conn, const redisReply *reply,
                      struct errand_error *err)
{
    struct er_redis_wake *wake = conn->wake;
    const char *kind = reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 &&
                               reply->element[0]->type == REDIS_REPLY_STRING
                           ? reply->element[0]->str
                           : "";

    if (reply->type == REDIS_REPLY_ERROR)
        return refused(conn, reply->str, err);
    if (strcmp(kind, "smessage") == 0)
        return 0;
    if (!wake->pending)
        return link_failed(wake, "the server has ended it", err);
    wake->pending--;
    return 0;
}

static int replies_take(struct er_redis *conn, struct errand_error *err)
{
    struct er_redis_wake *wake = conn->wake;
    void *reply;
    int rc;

    do {
        if (redisReaderGetReply(wake->link->reader, &reply) != REDIS_OK)
            return link_failed(wake, wake->link->reader->errstr, err);
        rc = reply ? reply_take(conn, reply, err) : 0;
        if (reply)
            freeReplyObject(reply);
    } while (reply && rc == 0);
    return rc;
}

/* Reads what is there, until a read brings nothing: with TLS something may be left that
 * the socket knows nothing of. */
static int drain(struct er_redis *conn, struct errand_error *err)
{
    struct er_redis_wake *wake = conn->wake;
    size_t before;
    int rc = 0;

    while (rc == 0) {
        before = wake->link->reader->len;
        if (redisBufferRead(wake->link) != REDIS_OK)
            return link_failed(wake, wake->link->errstr, err);
        if (wake->link->reader->len == before)
            return 0;
        rc = replies_take(conn, err);
    }
    return rc;
}

static int wait_for(struct er_redis_wake *wake, short events, int64_t until_ms,
                    struct errand_error *err)
{
    struct pollfd p = {.fd = wake->link->fd, .events = events};
    int64_t left_ms = until_ms - er_clock_mono_ms(NULL);
    int n = left_ms > 0 ? poll(&p, 1, (int)left_ms) : 0;

    if (n > 0 || (n < 0 && errno == EINTR))
        return 0;
    return link_failed(wake, "the server does not answer", err);
}

static int send_all(struct er_redis_wake *wake, int64_t until_ms,
                    struct errand_error *err)
{
    int is_sent = 0, rc;

    while (!is_sent) {
        if (er_quiet_write(wake->link, &is_sent) != REDIS_OK)
            return link_failed(wake, wake->link->errstr, err);
        if (!is_sent && (rc = wait_for(wake, POLLOUT, until_ms, err)) < 0)
            return rc;
    }
    return 0;
}

/* ------------------------------------------------------------------ subscriptions */

static int ask(struct er_redis *conn, const char *command, uint32_t bits,
               struct errand_error *err)
{
    char channels[WAIT_BITS][CHANNEL_MAX];
    const char *argv[WAIT_BITS + 1] = {command};
    struct er_redis_wake *wake = conn->wake;
    int argc = 1;

    if (!bits)
        return 0;
    for (int bit = 0; bit < WAIT_BITS; bit++) {
        if (!(bits >> bit & 1))
            continue;
        snprintf(channels[bit], sizeof channels[bit], "{%s}:w:%u", conn->target.prefix,
                 1u << bit);
        argv[argc++] = channels[bit];
    }
    if (redisAppendCommandArgv(wake->link, argc, argv, NULL) != REDIS_OK)
        return link_failed(wake, wake->link->errstr, err);
    wake->pending += (size_t)argc - 1;
    return 0;
}

/* Waits for the confirmation only when something is added: what is told too much harms
 * nobody. */
static int subscribe(struct er_redis *conn, uint32_t wanted, struct errand_error *err)
{
    struct er_redis_wake *wake = conn->wake;
    uint32_t more = wanted & ~wake->subscribed, less = wake->subscribed & ~wanted;
    int64_t until_ms = er_clock_mono_ms(NULL) + CONFIRM_MS;
    int rc;

    if ((rc = ask(conn, "SUNSUBSCRIBE", less, err)) < 0 ||
        (rc = ask(conn, "SSUBSCRIBE", more, err)) < 0 ||
        (rc = send_all(wake, until_ms, err)) < 0)
        return rc;
    wake->subscribed = wanted;
    while (more && wake->pending) {
        if ((rc = wait_for(wake, POLLIN, until_ms, err)) < 0 ||
            (rc = drain(conn, err)) < 0)
            return rc;
    }
    return 0;
}

static int arm(struct er_redis *conn, uint32_t wanted, struct errand_error *err)
{
    struct er_redis_wake *wake = conn->wake;
    int rc;

    if (wake->link && wake->generation != conn->generation)
        link_drop(wake);
    if (wake->link && (rc = drain(conn, err)) < 0)
        return rc;
    if (!wake->link && !wanted)
        return 0;
    if ((rc = link_make(conn, err)) < 0)
        return rc;
    return wanted == wake->subscribed ? 0 : subscribe(conn, wanted, err);
}

/* ------------------------------------------------------------------ operations */

int er_redis_op_wait_fd(struct errand_conn *base, struct errand_error *err)
{
    struct er_redis *conn = (struct er_redis *)base;
    int rc = wake_make(conn, err);

    return rc < 0 ? rc : conn->wake->epoll;
}

/* A connection that has died meanwhile is found out here: then once more, on a new one.
 */
int er_redis_op_wait_arm(struct errand_conn *base, uint32_t wait_for_what,
                         struct errand_error *err)
{
    struct er_redis *conn = (struct er_redis *)base;
    int rc = wake_make(conn, err);

    if (rc < 0)
        return rc;
    event_clear(conn->wake);
    for (int i = 0; i < TRIES; i++) {
        conn->wake->had_link = conn->wake->link != NULL;
        rc = arm(conn, wait_for_what & ALL_BITS, err);
        if (rc == 0 || !conn->wake->had_link)
            break;
    }
    conn->wake->calls = 0;
    return rc;
}

void er_redis_wake_moved(struct er_redis *conn)
{
    if (conn->wake && conn->wake->subscribed)
        event_set(conn->wake);
}

/* Looked at every so often: a call of the system each time would be seen in the rate. */
void er_redis_wake_rest(struct er_redis *conn)
{
    struct er_redis_wake *wake = conn->wake;
    struct pollfd p = {.events = POLLIN};

    if (!wake || !wake->link || !wake->subscribed || ++wake->calls % REST_CALLS)
        return;
    p.fd = wake->link->fd;
    if (poll(&p, 1, 0) <= 0)
        return;
    event_set(wake); /* woken it is, whatever is read now */
    if (drain(conn, NULL) == 0)
        subscribe(conn, 0, NULL);
}
