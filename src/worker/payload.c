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

/* What no retry changes fails for good. */
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

/* It is this worker that lacks something, not the job: the job comes again, here or where
 * the key is, and has all its tries. A hook is due again when its lease is over. */
static bool wait(struct er_supervisor *s, struct er_attempt *a,
                 const struct errand_error *why)
{
    struct er_ending ending = {.verdict = ERRAND_SNOOZE,
                               .snooze_ms = ER_MEND_MS,
                               .error = {why->message, strlen(why->message)}};

    er_slots_pend_remove(s, a);
    if (a->kind != ER_RUN_HANDLE)
        a->stop = ER_STOP_SHUTDOWN;
    er_settle_ended(s, a, &ending);
    return false;
}

static void key_missing(struct er_supervisor *s, const struct errand_error *why)
{
    if (s->slots.key_error[0])
        return;
    snprintf(s->slots.key_error, sizeof s->slots.key_error, "%s", why->message);
    s->leases.beat_at_ms = s->now_ms;
    er_report_warn(s, "%s; such jobs wait, and lose no attempt", why->message);
}

static void key_found(struct er_supervisor *s)
{
    if (!s->slots.key_error[0])
        return;
    s->slots.key_error[0] = '\0';
    s->leases.beat_at_ms = s->now_ms;
    er_report_over(s, "encrypted jobs can be opened again");
}

/* Who may write to the store, and has no key, must not get such a job to run with data of
 * his own; so what the class says counts, and not what is stored with the job. */
static int plain_check(const struct errand_reserved *job,
                       const struct er_options *of_class, struct errand_error *err)
{
    if (!of_class || !er_options_encrypt(of_class))
        return 0;
    return errand_error_set(err, ERRAND_ECORRUPT,
                            "the data of '%s' is not encrypted, and its class says that "
                            "it must be: it was put there by another program, or before "
                            "the class said so; dispatch it anew",
                            job->name);
}

/* A key that is not known may have come into the ring since it was read. */
int er_payload_open(errand *e, const struct errand_reserved *job,
                    const struct er_options *of_class, struct errand_arena *arena,
                    struct errand_slice *data, struct errand_error *err)
{
    const struct er_sealed_for whom = {job->name, job->queue, job->id.text};
    const struct er_key_ring *ring = NULL;
    int rc;

    if (!er_sealed_is(*data))
        return plain_check(job, of_class, err);
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
    rc = er_payload_open(s->client, a->job, a->plan->of_class, a->lot->arena, &a->data,
                         &err);
    if (rc == ERRAND_ECORRUPT)
        return refuse(s, a, &err);
    if (rc < 0) {
        if (rc != ERRAND_ENOMEM)
            key_missing(s, &err);
        return wait(s, a, &err);
    }
    if (a->was_sealed)
        key_found(s);
    if (a->plan->data && a->kind == ER_RUN_HANDLE &&
        (rc = er_payload_check(a->job->name, a->data, a->plan->data, &err)) < 0)
        return rc == ERRAND_ENOMEM ? wait(s, a, &err) : refuse(s, a, &err);
    return true;
}
