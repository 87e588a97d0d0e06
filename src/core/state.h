/* state.h: the life of a job as one constant table. Drivers, tests and
 * docs/life-of-a-job.md all read it. */
#ifndef ER_CORE_STATE_H
#define ER_CORE_STATE_H

#include <stdbool.h>

#include "errand/types.h"

/* What can happen to a job. */
enum er_event {
    ER_EVENT_PUSH,
    ER_EVENT_RELEASE, /* the last job it waits for is done */
    ER_EVENT_ABANDON, /* a job it waits for failed or was cancelled */
    ER_EVENT_DUE,     /* its time came, or "run now" */
    ER_EVENT_PUT_OFF, /* a later run-at: edit, or a unique key that replaces or extends */
    ER_EVENT_RESERVE,
    ER_EVENT_DONE,
    ER_EVENT_FAIL,
    ER_EVENT_RETRY,
    ER_EVENT_SNOOZE,
    ER_EVENT_HAND_BACK,
    ER_EVENT_LEASE_OVER,  /* attempts left */
    ER_EVENT_LEASE_SPENT, /* lease over, attempts spent */
    ER_EVENT_CANCEL,      /* of a job that waits */
    ER_EVENT_CANCELLED,   /* a running one was stopped and settled */
    ER_EVENT_OPERATOR_RETRY,
    ER_EVENT_REHOLD, /* the failed job it waits for was retried by the operator */
};

enum { ER_NO_STATE = -1, ER_ATTEMPTS_RESET = -100 };

struct er_transition {
    int from; /* enum errand_state, or ER_NO_STATE */
    enum errand_state to;
    enum er_event event;
    int attempts; /* what is added to the count; ER_ATTEMPTS_RESET: set to 0 */
};

extern const struct er_transition er_transitions[];
extern const size_t er_transitions_n;

/* The row for this move, or NULL when the life of a job has none. */
const struct er_transition *er_transition_find(int from, enum errand_state to,
                                               enum er_event event);
const char *er_event_name(enum er_event event);
bool er_state_is_final(enum errand_state state); /* COMPLETED, FAILED, CANCELLED */

#endif
