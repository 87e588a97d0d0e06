/* payload.c: data is checked again where it is run. A dispatcher may not have known the
 * class, or an older one of it, and rows can come from plain SQL. */
#include "worker/payload.h"

#include <string.h>

#include "core/data.h"
#include "worker/supervisor.h"

static bool refuse(struct er_supervisor *s, struct er_attempt *a,
                   const struct errand_error *why)
{
    struct er_ending ending = {.cause = ERRAND_CAUSE_ERROR,
                               .verdict = ERRAND_FAIL,
                               .error = {why->message, strlen(why->message)}};

    er_slots_pend_remove(s, a);
    er_settle_ended(s, a, &ending);
    return false;
}

bool er_payload_ready(struct er_supervisor *s, struct er_attempt *a)
{
    /* What the configuration says, the dispatcher has looked at. */
    static const struct er_json_limits limits = {
        .max_bytes = ER_DATA_MAX, .max_depth = 1000, .max_keys = SIZE_MAX};
    struct errand_slice data = a->data;
    struct errand_error err = {0};

    if (a->is_ready)
        return true;
    a->is_ready = true;
    if (!a->plan->data || a->kind != ER_RUN_HANDLE)
        return true;
    if (!data.len)
        data = (struct errand_slice){"null", 4};
    if (er_data_check(a->job->name, data, a->plan->data, &limits, &err) == 0)
        return true;
    return refuse(s, a, &err);
}
