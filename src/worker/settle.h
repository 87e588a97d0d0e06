/* settle.h: from how an attempt ended to what the store is told, in groups, until it
 * answers. */
#ifndef ER_WORKER_SETTLE_H
#define ER_WORKER_SETTLE_H

#include "errand/driver.h"

struct er_supervisor;
struct er_attempt;
struct er_ending;

enum { ER_SETTLE_GROUP = 100 };

struct er_settle {
    struct errand_outcome *outcomes;
    struct er_attempt **attempts; /* of the outcomes */
    size_t n, size;
    struct errand_arena *arena; /* errors, logs and results of the outcomes */
    int64_t oldest_ms;          /* when the first of them came */

    uint32_t armed;   /* what the store wakes us for: enum errand_wait_for */
    int64_t asked_ms; /* when it was last asked */
    int64_t control;  /* as last seen */
    bool is_control_due;
    uint32_t hints;

    int failures; /* in a row */
    bool is_failure_told;
    int told_code; /* of what was told last, and when */
    int64_t told_ms;
    int64_t full_until_ms; /* small steps: its disk was full a moment ago */
    int64_t failed_ms;     /* the first of them */
    int64_t retry_at_ms;
    uint64_t random;
};

int er_settle_init(struct er_supervisor *s, struct errand_error *err);
void er_settle_done(struct er_supervisor *s);
/* Decides by the rules what follows and keeps it for the next exchange. The attempt is
 * not to be used after this. */
void er_settle_ended(struct er_supervisor *s, struct er_attempt *attempt,
                     const struct er_ending *ending);
/* Settles and reserves if it is time for either. */
void er_settle_turn(struct er_supervisor *s);
/* There may be something to reserve, for every pool. */
void er_settle_look(struct er_supervisor *s);
/* When the store did not answer: how long to leave it alone. */
void er_settle_store_failed(struct er_supervisor *s, const struct errand_error *err);
void er_settle_store_answered(struct er_supervisor *s);
bool er_settle_may_ask(const struct er_supervisor *s);

#endif
