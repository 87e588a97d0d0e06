/* wait.c: the descriptor that becomes readable when something may have come about.
 *
 * It is an epoll descriptor around a connection of its own, which listens (sql/wake.sql):
 * that one is the server's for as long as it lives, while the one that works may go
 * through a pooler and keeps nothing. When it dies its socket says so, which wakes the
 * sleeper, and the next arming makes another; what happened in between is found by the
 * look that follows every arming.
 *
 * Where nobody can listen (on a replica, or by ?listen=poll) the descriptor becomes
 * readable twice a second while it is armed. */
#include "store/postgres/wait.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/error.h"
#include "core/clock.h"
#include "store/postgres/ops.h"

enum { POLL_MS = 500, AGAIN_MS = 100, ALL_BITS = (1 << 5) - 1 };

struct er_pg_wait {
    PGconn *pg; /* NULL: not connected */
    int epoll, timer;
    int socket;      /* of pg, while epoll watches it; else -1 */
    uint32_t held;   /* kinds whose keys it holds */
    uint32_t heard;  /* kinds whose channel it listens to */
    int64_t salt;    /* of the store whose keys and channels those are */
    bool is_polling; /* nobody can listen */
};

/* ------------------------------------------------------------------ descriptors */

static int epoll_add(struct er_pg_wait *w, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};

    return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void unwatch(struct er_pg_wait *w)
{
    if (w->socket >= 0)
        epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->socket, NULL);
    w->socket = -1;
}

static int watch(struct er_pg_wait *w, struct errand_error *err)
{
    if (w->socket >= 0)
        return 0;
    if (epoll_add(w, PQsocket(w->pg)) < 0)
        return er_error_errno(err, ERRAND_EUNAVAILABLE, errno, "watching the server");
    w->socket = PQsocket(w->pg);
    return 0;
}

/* 0: never. What was readable before is not any more. */
static void timer_set(struct er_pg_wait *w, long ms, bool repeats)
{
    struct timespec after = {.tv_nsec = ms * 1000000};
    struct itimerspec at = {.it_value = after};

    if (repeats)
        at.it_interval = after;
    timerfd_settime(w->timer, 0, &at, NULL);
}

static void hang_up(struct er_pg_wait *w)
{
    unwatch(w);
    PQfinish(w->pg);
    w->pg = NULL;
    w->held = w->heard = 0;
}

static void free_all(struct er_pg_wait *w)
{
    if (w->timer >= 0)
        close(w->timer);
    if (w->epoll >= 0)
        close(w->epoll);
    free(w);
}

void er_pg_wait_close(struct er_pg_wait *w)
{
    if (!w)
        return;
    hang_up(w);
    free_all(w);
}

void er_pg_wait_abandon(struct er_pg_wait *w)
{
    if (!w)
        return;
    if (w->pg && PQsocket(w->pg) >= 0)
        close(PQsocket(w->pg));
    free_all(w);
}

static int wait_make(struct er_pg *conn, struct errand_error *err)
{
    struct er_pg_wait *w;
    int rc;

    if (conn->wait)
        return 0;
    if (!(w = calloc(1, sizeof *w)))
        return er_error_nomem(err);
    w->socket = -1;
    w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (w->timer < 0 || w->epoll < 0 || epoll_add(w, w->timer) < 0) {
        rc = er_error_errno(err, ERRAND_EUNAVAILABLE, errno, "watching the server");
        free_all(w);
        return rc;
    }
    conn->wait = w;
    return 0;
}

/* ------------------------------------------------------------------ the connection */

static int run(struct er_pg *conn, const char *sql, PGresult **ret,
               struct errand_error *err)
{
    PGconn *pg = conn->wait->pg;
    int64_t until_ms = er_clock_mono_ms(NULL) + conn->busy_ms;
    PGresult *res = PQsendQuery(pg, sql) ? er_pg_result(pg, until_ms) : NULL;

    if (!er_pg_has_worked(res)) {
        int rc = er_pg_error(conn, conn->wait->pg, res, err);
        PQclear(res);
        return rc;
    }
    *ret = res;
    return 0;
}

/* A pooler gives every client a number of its own, and the server's process another. */
static int pooler_check(struct er_pg *conn, struct errand_error *err)
{
    PGresult *res;
    int rc =
        run(conn, "SELECT pg_catalog.pg_backend_pid(), pg_catalog.pg_is_in_recovery()",
            &res, err);

    if (rc < 0)
        return rc;
    conn->wait->is_polling = *er_pg_field(res, 1) == 't';
    if (!conn->place.listen &&
        strtol(er_pg_field(res, 0), NULL, 10) != PQbackendPID(conn->wait->pg))
        rc = errand_error_set(err, ERRAND_EINVAL,
                              "a pooler is in front of the server, where nobody can "
                              "listen: name the server itself with ?listen=HOST:PORT, or "
                              "look twice a second with ?listen=poll");
    PQclear(res);
    return rc;
}

/* Nothing that a session holds is given back to a pool here, so it may be set. A writer
 * that stands between its key and its commit keeps us waiting: see arm_held(). */
static int settle_in(struct er_pg *conn, struct errand_error *err)
{
    PGresult *res;
    int rc = pooler_check(conn, err);

    if (rc == 0 && (rc = run(conn, "SET lock_timeout = '1s'", &res, err)) == 0)
        PQclear(res);
    return rc;
}

static int call_up(struct er_pg *conn, struct errand_error *err)
{
    struct er_pg_wait *w = conn->wait;
    int rc = er_pg_dial(conn, conn->place.listen, er_clock_mono_ms(NULL) + conn->busy_ms,
                        &w->pg, err);

    if (rc < 0)
        return rc;
    w->salt = conn->salt;
    if ((rc = settle_in(conn, err)) < 0 || w->is_polling)
        hang_up(w);
    return rc;
}

/* What has come; a connection that is dead is left. */
static void drain(struct er_pg_wait *w)
{
    PGnotify *told;

    if (!PQconsumeInput(w->pg) || PQstatus(w->pg) != CONNECTION_OK) {
        hang_up(w);
        return;
    }
    while ((told = PQnotifies(w->pg)))
        PQfreemem(told);
}

int er_pg_op_wait_fd(struct errand_conn *base, struct errand_error *err)
{
    struct er_pg *conn = (struct er_pg *)base;
    int rc = wait_make(conn, err);

    if (rc < 0)
        return rc;
    if (conn->place.listen && strcmp(conn->place.listen, "poll") == 0)
        conn->wait->is_polling = true;
    if (!conn->wait->is_polling && !conn->wait->pg && (rc = call_up(conn, err)) < 0)
        return rc;
    return conn->wait->epoll;
}

/* ------------------------------------------------------------------ arming */

/* Holds the keys of what is waited for and listens to its channels. */
static int hold(struct er_pg *conn, uint32_t wait_for, struct errand_error *err)
{
    struct er_pg_wait *w = conn->wait;
    char call[128];
    const char *sql;
    PGresult *res;
    int rc;

    snprintf(call, sizeof call, "SELECT @.sleep(%u, %u, %u)", w->held, wait_for,
             w->heard);
    if (!(sql = er_pg_expand(conn, call)))
        return er_error_nomem(err);
    if ((rc = run(conn, sql, &res, err)) < 0)
        return rc;
    PQclear(res);
    w->held = wait_for;
    w->heard |= wait_for;
    return 0;
}

/* A writer that takes long over its commit (a standby that is slow to answer) must not
 * hold up who wants to sleep: what it did is found by looking again soon. Keys that were
 * got before the wait stay, whatever becomes of the call, so all are let go. */
static int hold_or_look_again(struct er_pg *conn, uint32_t wait_for,
                              struct errand_error *err)
{
    struct er_pg_wait *w = conn->wait;
    PGresult *res;
    int rc = hold(conn, wait_for, err);

    if (rc != ERRAND_EBUSY)
        return rc;
    w->held = 0;
    if ((rc = run(conn, "SELECT pg_catalog.pg_advisory_unlock_all()", &res, err)) < 0)
        return rc;
    PQclear(res);
    timer_set(w, AGAIN_MS, false);
    return 0;
}

static int arm(struct er_pg *conn, uint32_t wait_for, struct errand_error *err)
{
    struct er_pg_wait *w = conn->wait;
    int rc;

    timer_set(w, 0, false);
    if (w->pg && w->salt != conn->salt) /* another store has taken its place */
        hang_up(w);
    if (w->pg)
        drain(w);
    if (!w->pg && !wait_for)
        return 0;
    if (!w->pg && (rc = call_up(conn, err)) < 0)
        return rc;
    if (w->is_polling) {
        timer_set(w, POLL_MS, true);
        return 0;
    }
    if (w->held != wait_for && (rc = hold_or_look_again(conn, wait_for, err)) < 0) {
        hang_up(w);
        return rc;
    }
    drain(w);
    if (wait_for && w->pg)
        return watch(w, err);
    unwatch(w);
    return 0;
}

int er_pg_op_wait_arm(struct errand_conn *base, uint32_t wait_for,
                      struct errand_error *err)
{
    struct er_pg *conn = (struct er_pg *)base;
    int rc;

    if (!err)
        err = &conn->error;
    wait_for &= ALL_BITS;
    if ((rc = er_pg_op_wait_fd(base, err)) < 0)
        return rc;
    if (conn->wait->is_polling) {
        timer_set(conn->wait, wait_for ? POLL_MS : 0, true);
        return 0;
    }
    /* A connection that died since the last arming may only say so now. */
    if ((rc = arm(conn, wait_for, err)) == ERRAND_EUNAVAILABLE || !conn->wait->pg)
        rc = arm(conn, wait_for, err);
    return rc;
}
