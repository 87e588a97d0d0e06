/* wait.c: waiting until a job is final, without polling.
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

static int look(errand *e, const struct errand_id *id, bool was_seen, int *ret_state,
                struct errand_error *err)
{
    struct errand_job_detail detail = {0};
    int rc;

    er_arena_reset(e->call);
    rc = er_store_get(e->store, id, 0, e->call, &detail, err);
    if (rc == ERRAND_ENOTFOUND && was_seen)
        return errand_error_set(err, ERRAND_ENOTFOUND,
                                "job %s is gone: it ended and completed jobs are not "
                                "kept, or somebody deleted it",
                                id->text);
    if (rc == 0)
        *ret_state = (int)detail.job.state;
    return rc;
}

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

static int wait_final(errand *e, const struct errand_id *id, int64_t timeout_ms,
                      struct errand_error *err)
{
    int64_t start_ms = er_clock_mono_ms(NULL), left_ms = -1;
    int fd = er_store_wait_fd(e->store, err), state = -1, rc;

    if (fd < 0)
        return fd;
    for (;;) {
        struct errand_error inner = {0};
        if ((rc = er_store_wait_arm(e->store, ERRAND_WAIT_ENDED, &inner)) == 0)
            rc = look(e, id, state >= 0, &state, &inner);
        if (is_over(rc, &inner)) {
            if (err)
                *err = inner;
            return rc;
        }
        if (rc == 0 && er_state_is_final((enum errand_state)state))
            return state;
        if (timeout_ms >= 0)
            left_ms = timeout_ms - (er_clock_mono_ms(NULL) - start_ms);
        if (timeout_ms >= 0 && left_ms <= 0)
            return errand_error_set(
                err, ERRAND_ETIMEOUT, "job %s is %s after %lld ms", id->text,
                state < 0 ? "out of reach" : errand_state_name((enum errand_state)state),
                (long long)timeout_ms);
        if ((rc = sleep_until_told(fd, left_ms, err)) < 0)
            return rc;
    }
}

int errand_wait(errand *e, const struct errand_id *id, int64_t timeout_ms,
                struct errand_error *err)
{
    int rc = wait_final(e, id, timeout_ms, err);

    /* Nobody sleeps here any more, so writers need not wake us. */
    if (rc != ERRAND_EFORKED)
        er_store_wait_arm(e->store, 0, NULL);
    return rc;
}
