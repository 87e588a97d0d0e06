/* rehearse.c: what errand/testing.h says of time, and of a store that fails. */
#include <string.h>

#include "base/error.h"
#include "base/nearest.h"
#include "client/handle.h"
#include "core/clock.h"
#include "errand/testing.h"
#include "store/rehearsal/rehearsal.h"

/* ------------------------------------------------------------------ time */

int errand_test_set_time(errand *e, int64_t now_ms, struct errand_error *err)
{
    struct er_rehearsal *rehearsal;
    struct er_clock *clock;
    int rc;

    if (now_ms < 0)
        return errand_error_set(err, ERRAND_EINVAL, "time: %lld ms is before 1970",
                                (long long)now_ms);
    if ((rc = er_rehearsal_begin(e->store, &rehearsal, err)) < 0)
        return rc;
    clock = er_rehearsal_clock(rehearsal);
    clock->fixed_ms = now_ms;
    e->clock = clock;
    /* How old they are was reckoned by another clock. */
    e->definitions.is_filled = false;
    return 0;
}

int64_t errand_test_time(errand *e)
{
    return er_client_wall_ms(e);
}

int errand_test_pass(errand *e, double seconds, struct errand_error *err)
{
    int64_t ms = 0, now_ms = errand_test_time(e);
    int rc;

    if ((rc = er_seconds_to_ms("time that passes", seconds, &ms, err)) < 0)
        return rc;
    return errand_test_set_time(e, now_ms + ms, err);
}

/* ------------------------------------------------------------------ failing */

/* What can be named; wait_fd and wait_arm never fail, open and migrate are over. */
static const char *const calls[] = {
    "push",
    "exchange",
    "extend",
    "reap",
    "change",
    "prune",
    "get",
    "list",
    "count",
    "queues",
    "queue_pause",
    "limit_put",
    "limit_delete",
    "limits",
    "rate_take",
    "lock",
    "unlock",
    "batch_get",
    "batch_cancel",
    "batches",
    "schedule_put",
    "schedule_delete",
    "schedule_pause",
    "schedules",
    "fire",
    "beat",
    "workers",
    "command",
    "define",
    "definitions",
    "events_add",
    "events_read",
    "stats_add",
    "stats_read",
    "check",
};
enum { CALLS_N = sizeof calls / sizeof *calls };

/* The name as we have it: the caller's may not live as long. */
static int call_find(const char *name, const char **ret, struct errand_error *err)
{
    size_t nearest = 0, least = SIZE_MAX;

    *ret = NULL;
    for (size_t i = 0; name && i < CALLS_N; i++) {
        size_t distance = er_word_distance(name, calls[i]);
        if (distance == 0)
            *ret = calls[i];
        if (distance < least) {
            least = distance;
            nearest = i;
        }
    }
    if (!name || *ret)
        return 0;
    return errand_error_set(err, ERRAND_EINVAL,
                            "a store has no call '%s'; did you mean '%s'?", name,
                            calls[nearest]);
}

int errand_test_fail(errand *e, const struct errand_test_failure *failure,
                     struct errand_error *err)
{
    struct er_rehearsal_failure f = {.code = failure->code,
                                     .skip_n = failure->skip_n,
                                     .times = failure->times ? failure->times : 1,
                                     .is_after_commit = failure->is_after_commit};
    struct er_rehearsal *rehearsal;
    int rc;

    if (failure->code &&
        (failure->code > 0 || strcmp(errand_code_name(failure->code), "E?") == 0))
        return errand_error_set(err, ERRAND_EINVAL, "%d is no code of an error",
                                failure->code);
    if (failure->skip_n < 0)
        return errand_error_set(err, ERRAND_EINVAL, "skip_n: %lld is negative",
                                (long long)failure->skip_n);
    if ((rc = call_find(failure->call, &f.call, err)) < 0 ||
        (rc = er_rehearsal_begin(e->store, &rehearsal, err)) < 0)
        return rc;
    er_rehearsal_fail(rehearsal, &f);
    return 0;
}

int errand_test_fail_next(errand *e, int code, struct errand_error *err)
{
    return errand_test_fail(e, &(struct errand_test_failure){.code = code}, err);
}
