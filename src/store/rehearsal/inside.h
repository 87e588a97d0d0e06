/* inside.h: the state of a rehearsal, and the way through it that every call takes. */
#ifndef ER_STORE_REHEARSAL_INSIDE_H
#define ER_STORE_REHEARSAL_INSIDE_H

#include "store/rehearsal/rehearsal.h"

/* Where a call goes. */
struct er_rehearsal_to {
    const struct errand_driver *driver;
    struct errand_conn *conn;
};

struct er_rehearsal {
    struct errand_conn conn;     /* first: this is what the door sees */
    struct errand_driver driver; /* of our own, with what the store can do */
    struct er_rehearsal_to real;
    struct er_rehearsal_to aside; /* driver NULL: not set aside */
    struct er_clock clock;
    struct er_rehearsal_failure failure;
    struct er_rehearsal_listener listener;
};

/* Fill in every call of the driver; calls.c, calls_jobs.c. */
void er_rehearsal_calls(struct errand_driver *driver);
void er_rehearsal_calls_jobs(struct errand_driver *driver);

/* True: this call fails here, with failure.code, and `err` says so. */
bool er_rehearsal_fails(struct er_rehearsal *r, const char *call, bool is_after_commit,
                        struct errand_error *err);

static inline struct er_rehearsal *er_rehearsal_in(struct errand_conn *conn)
{
    return (struct er_rehearsal *)conn;
}

static inline const struct er_rehearsal_to *er_rehearsal_goes_to(
    const struct er_rehearsal *r)
{
    return r->aside.driver ? &r->aside : &r->real;
}

static inline int64_t er_rehearsal_now(const struct er_rehearsal *r, int64_t now_ms)
{
    return now_ms ? now_ms : r->clock.fixed_ms;
}

/* What the driver answered, unless that answer is to be lost. */
static inline int er_rehearsal_answer(struct er_rehearsal *r, const char *call, int rc,
                                      struct errand_error *err)
{
    return rc >= 0 && er_rehearsal_fails(r, call, true, err) ? r->failure.code : rc;
}

#endif
