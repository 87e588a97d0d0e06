/* payload.c: the last look at data before a process gets it.
 *
 * Encrypted data is opened here, in the supervisor: it alone has the keys, and what runs
 * handlers is never given them. Data is checked again, too: a dispatcher may not have
 * known the class, or an older one of it, and rows can come from plain SQL. */
#include "worker/payload.h"

#include <string.h>

#include "client/keys.h"
#include "client/seal.h"
#include "client/seal_job.h"
#include "core/data.h"
#include "worker/supervisor.h"

/* What no retry changes fails for good; a key may still be given. */
static bool refuse(struct er_supervisor *s, struct er_attempt *a, bool is_final,
                   const struct errand_error *why)
{
    struct er_ending ending = {.cause =
                                   is_final ? ERRAND_CAUSE_ERROR : ERRAND_CAUSE_START,
                               .verdict = is_final ? ERRAND_FAIL : ERRAND_RETRY,
                               .error = {why->message, strlen(why->message)}};

    er_slots_pend_remove(s, a);
    er_settle_ended(s, a, &ending);
    return false;
}

/* A key that is not known may have come into the ring since it was read. */
int er_payload_open(errand *e, const struct errand_reserved *job,
                    struct errand_arena *arena, struct errand_slice *data,
                    struct errand_error *err)
{
    const struct er_sealed_for whom = {job->name, job->queue, job->id.text};
    const struct er_key_ring *ring = NULL;
    int rc;

    if (!er_sealed_is(*data))
        return 0;
    if ((rc = er_client_keys(e, &ring, err)) < 0)
        return rc;
    rc = er_unseal(ring, &whom, *data, arena, data, err);
    if (rc == ERRAND_ENOTFOUND && ring && (rc = er_client_keys_again(e, &ring, err)) == 0)
        rc = er_unseal(ring, &whom, *data, arena, data, err);
    return rc;
}

/* Not what the configuration says: the dispatcher has looked at that. */
int er_payload_check(const char *name, struct errand_slice data,
                     const struct er_options *options, struct errand_error *err)
{
    static const struct er_json_limits limits = {
        .max_bytes = ER_DATA_MAX, .max_depth = 1000, .max_keys = SIZE_MAX};

    if (!data.len)
        data = (struct errand_slice){"null", 4};
    return er_data_check(name, data, options, &limits, err);
}

bool er_payload_ready(struct er_supervisor *s, struct er_attempt *a)
{
    struct errand_error err = {0};
    int rc;

    if (a->is_ready)
        return true;
    a->is_ready = true;
    a->was_sealed = er_sealed_is(a->data);
    if ((rc = er_payload_open(s->client, a->job, a->lot->arena, &a->data, &err)) < 0)
        return refuse(s, a, rc == ERRAND_ECORRUPT, &err);
    if (a->plan->data && a->kind == ER_RUN_HANDLE &&
        (rc = er_payload_check(a->job->name, a->data, a->plan->data, &err)) < 0)
        return refuse(s, a, rc != ERRAND_ENOMEM, &err);
    return true;
}
