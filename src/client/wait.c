/* wait.c: waiting until a job is final, or a batch, without polling.
 *
 * Arm, look, sleep: what ends after the arming makes the descriptor readable, so nothing
 * is missed. A look each second is the safety net where a wake-up cannot reach us. */
#include "client/client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/error.h"
#include "client/handle.h"
#include "core/clock.h"
#include "core/state.h"

enum { LOOK_MS = 1000 };

static int sleep_until_told(int fd, int64_t left_ms, struct errand_error *err)
{
    struct pollfd told = {.fd = fd, .events = POLLIN};
    int ms = left_ms < 0 || left_ms > LOOK_MS ? LOOK_MS : (int)left_ms;

    if (poll(&told, 1, ms) < 0 && errno != EINTR)
        return er_error_errno(err, ERRAND_EIO, errno, "waiting for the store");
    return 0;
}

/* ERRAND_EBUSY and its like pass: the next look is a second away at most. */
static bool is_over(int rc, const struct errand_error *inner)
{
    return rc < 0 && !inner->retryable;
}

static int until(errand *e, int64_t timeout_ms, er_look_fn *ask, void *ctx,
                 struct errand_error *err)
{
    int64_t start_ms = er_clock_mono_ms(NULL), left_ms = -1;
    int fd = er_store_wait_fd(e->store, err), rc;

    if (fd < 0)
        return fd;
    for (;;) {
        struct errand_error inner = {0};
        if ((rc = er_store_wait_arm(e->store, ERRAND_WAIT_ENDED, &inner)) == 0)
            rc = ask(e, ctx, &inner);
        if (is_over(rc, &inner)) {
            if (err)
                *err = inner;
            return rc;
        }
        if (rc > 0)
            return 0;
        if (timeout_ms >= 0)
            left_ms = timeout_ms - (er_clock_mono_ms(NULL) - start_ms);
        if (timeout_ms >= 0 && left_ms <= 0)
            return ERRAND_ETIMEOUT;
        if ((rc = sleep_until_told(fd, left_ms, err)) < 0)
            return rc;
    }
}

int er_wait_until(errand *e, int64_t timeout_ms, er_look_fn *ask, void *ctx,
                  struct errand_error *err)
{
    int rc = until(e, timeout_ms, ask, ctx, err);

    /* Nobody sleeps here any more, so writers need not wake us. */
    if (rc != ERRAND_EFORKED)
        er_store_wait_arm(e->store, 0, NULL);
    return rc;
}

/* ------------------------------------------------------------------ one job */

struct watch {
    const struct errand_id *id;
    int state; /* -1: not seen yet */
};

static int look(errand *e, void *ctx, struct errand_error *err)
{
    struct errand_job_detail detail = {0};
    struct watch *w = ctx;
    int rc;

    er_arena_reset(e->call);
    rc = er_store_get(e->store, w->id, 0, e->call, &detail, err);
    if (rc == ERRAND_ENOTFOUND && w->state >= 0)
        return errand_error_set(err, ERRAND_ENOTFOUND,
                                "job %s is gone: it ended and completed jobs are not "
                                "kept, or somebody deleted it",
                                w->id->text);
    if (rc < 0)
        return rc;
    w->state = (int)detail.job.state;
    return er_state_is_final(detail.job.state);
}

int errand_wait(errand *e, const struct errand_id *id, int64_t timeout_ms,
                struct errand_error *err)
{
    struct watch watch = {.id = id, .state = -1};
    int rc = er_wait_until(e, timeout_ms, look, &watch, err);

    if (rc == ERRAND_ETIMEOUT)
        return errand_error_set(err, rc, "job %s is %s after %lld ms", id->text,
                                watch.state < 0
                                    ? "out of reach"
                                    : errand_state_name((enum errand_state)watch.state),
                                (long long)timeout_ms);
    return rc < 0 ? rc : watch.state;
}
