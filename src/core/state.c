/* state.c: the moves of a job's life, and nothing else. What is not in the table cannot
 * happen to a job. */
#include "core/state.h"

#include <string.h>

const struct er_transition er_transitions[] = {
    {ER_NO_STATE, ERRAND_READY, ER_EVENT_PUSH, 0},
    {ER_NO_STATE, ERRAND_SCHEDULED, ER_EVENT_PUSH, 0},
    {ER_NO_STATE, ERRAND_HELD, ER_EVENT_PUSH, 0},
    {ERRAND_HELD, ERRAND_READY, ER_EVENT_RELEASE, 0},
    {ERRAND_HELD, ERRAND_SCHEDULED, ER_EVENT_RELEASE, 0},
    {ERRAND_HELD, ERRAND_CANCELLED, ER_EVENT_ABANDON, 0},
    {ERRAND_SCHEDULED, ERRAND_READY, ER_EVENT_DUE, 0},
    {ERRAND_READY, ERRAND_SCHEDULED, ER_EVENT_PUT_OFF, 0},
    {ERRAND_READY, ERRAND_RUNNING, ER_EVENT_RESERVE, 1},
    {ERRAND_RUNNING, ERRAND_COMPLETED, ER_EVENT_DONE, 0},
    {ERRAND_RUNNING, ERRAND_FAILED, ER_EVENT_FAIL, 0},
    {ERRAND_RUNNING, ERRAND_SCHEDULED, ER_EVENT_RETRY, 0},
    {ERRAND_RUNNING, ERRAND_SCHEDULED, ER_EVENT_SNOOZE, -1},
    {ERRAND_RUNNING, ERRAND_READY, ER_EVENT_HAND_BACK, -1},
    {ERRAND_RUNNING, ERRAND_READY, ER_EVENT_LEASE_OVER, 0},
    {ERRAND_RUNNING, ERRAND_FAILED, ER_EVENT_LEASE_SPENT, 0},
    {ERRAND_HELD, ERRAND_CANCELLED, ER_EVENT_CANCEL, 0},
    {ERRAND_SCHEDULED, ERRAND_CANCELLED, ER_EVENT_CANCEL, 0},
    {ERRAND_READY, ERRAND_CANCELLED, ER_EVENT_CANCEL, 0},
    {ERRAND_RUNNING, ERRAND_CANCELLED, ER_EVENT_CANCELLED, 0},
    {ERRAND_FAILED, ERRAND_READY, ER_EVENT_OPERATOR_RETRY, ER_ATTEMPTS_RESET},
    {ERRAND_CANCELLED, ERRAND_READY, ER_EVENT_OPERATOR_RETRY, ER_ATTEMPTS_RESET},
    {ERRAND_CANCELLED, ERRAND_HELD, ER_EVENT_REHOLD, ER_ATTEMPTS_RESET},
};
const size_t er_transitions_n = sizeof er_transitions / sizeof *er_transitions;

const struct er_transition *er_transition_find(int from, enum errand_state to,
                                               enum er_event event)
{
    for (size_t i = 0; i < er_transitions_n; i++) {
        const struct er_transition *t = &er_transitions[i];
        if (t->from == from && t->to == to && t->event == event)
            return t;
    }
    return NULL;
}

/* A switch and not an array: the compiler finds an event without a name. */
const char *er_event_name(enum er_event event)
{
    switch (event) {
    case ER_EVENT_PUSH:
        return "push";
    case ER_EVENT_RELEASE:
        return "release";
    case ER_EVENT_ABANDON:
        return "abandon";
    case ER_EVENT_DUE:
        return "due";
    case ER_EVENT_PUT_OFF:
        return "put off";
    case ER_EVENT_RESERVE:
        return "reserve";
    case ER_EVENT_DONE:
        return "done";
    case ER_EVENT_FAIL:
        return "fail";
    case ER_EVENT_RETRY:
        return "retry";
    case ER_EVENT_SNOOZE:
        return "snooze";
    case ER_EVENT_HAND_BACK:
        return "hand back";
    case ER_EVENT_LEASE_OVER:
        return "lease over";
    case ER_EVENT_LEASE_SPENT:
        return "lease spent";
    case ER_EVENT_CANCEL:
        return "cancel";
    case ER_EVENT_CANCELLED:
        return "cancelled";
    case ER_EVENT_OPERATOR_RETRY:
        return "operator retry";
    case ER_EVENT_REHOLD:
        return "rehold";
    }
    return "?";
}

bool er_state_is_final(enum errand_state state)
{
    return state == ERRAND_COMPLETED || state == ERRAND_FAILED ||
           state == ERRAND_CANCELLED;
}

static const char *const state_names[ERRAND_STATES_N] = {
    [ERRAND_HELD] = "held",           [ERRAND_SCHEDULED] = "scheduled",
    [ERRAND_READY] = "ready",         [ERRAND_RUNNING] = "running",
    [ERRAND_COMPLETED] = "completed", [ERRAND_FAILED] = "failed",
    [ERRAND_CANCELLED] = "cancelled",
};

const char *errand_state_name(enum errand_state state)
{
    return (unsigned)state < ERRAND_STATES_N ? state_names[state] : "?";
}

int errand_state_parse(const char *name)
{
    for (int i = 0; i < ERRAND_STATES_N; i++)
        if (name && strcmp(state_names[i], name) == 0)
            return i;
    return -1;
}
