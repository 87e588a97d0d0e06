/* rehearsal.h: a store under test. Laid between the door (store.h) and the driver, so
 * that whoever has the store notices nothing: its time may be the test's, calls fail when
 * the test asks for it, and what is pushed may be noted and kept away from the store
 * itself.
 *
 * A store that is not rehearsed pays nothing for it. */
#ifndef ER_STORE_REHEARSAL_REHEARSAL_H
#define ER_STORE_REHEARSAL_REHEARSAL_H

#include "core/clock.h"
#include "store/store.h"

struct er_rehearsal;

/* Begins one, or answers the one there is. It ends with the store. */
int er_rehearsal_begin(struct er_store *store, struct er_rehearsal **ret,
                       struct errand_error *err);
/* NULL: none was begun. */
struct er_rehearsal *er_rehearsal_of(const struct er_store *store);

/* The clock of the store, fixed_ms 0: the real one. Whoever sets it sets the time of
 * every call that does not bring its own. Lives as long as the store. */
struct er_clock *er_rehearsal_clock(struct er_rehearsal *rehearsal);

/* Which calls fail, by their name in struct errand_driver. */
struct er_rehearsal_failure {
    const char *call;     /* static; NULL: any but definitions */
    int code;             /* 0: none, all work again */
    int64_t skip_n;       /* calls that work before */
    int64_t times;        /* < 0: until further notice */
    bool is_after_commit; /* done, and the answer is lost */
};
void er_rehearsal_fail(struct er_rehearsal *rehearsal,
                       const struct er_rehearsal_failure *failure);

/* From now on all calls but `definitions` go to an empty store in memory, and each push
 * that it took is told. Again: an empty one, and the new listener. */
struct er_rehearsal_listener {
    void (*pushed)(void *ctx, const struct errand_push_params *p,
                   const struct errand_push_result *result);
    void (*fired)(void *ctx, const struct errand_fire_params *p,
                  const struct errand_fire_result *result);
    void *ctx;
};
int er_rehearsal_set_aside(struct er_rehearsal *rehearsal,
                           const struct er_rehearsal_listener *listener,
                           struct errand_error *err);
void er_rehearsal_put_back(struct er_rehearsal *rehearsal);

#endif
