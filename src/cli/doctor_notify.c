/* doctor_notify.c: whether somebody would be told of failures. Sends nothing. */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/module.h"
#include "cli/doctor.h"
#include "client/notify.h"

enum { LOOK_MOST = 100 };

void er_doctor_notify(struct er_doctor *d)
{
    const struct errand_notify *notify = &d->cli->config->notify;
    const char *lack = NULL;
    struct errand_error err;
    int ready = er_notify_ready(notify, d->cli->arena, &lack);

    if (!notify->channels || !notify->channels[0]) {
        er_doctor_say(d, ER_OK, "notifications", NULL,
                      "none: nobody is told of failures");
        return;
    }
    if (er_module_check(&er_notify_module, &err) < 0)
        er_doctor_say(d, ER_FAIL, "notifications",
                      "build errand with libcurl and libsodium and install all of it, or "
                      "take out the channels",
                      "%s", err.message);
    else if (lack)
        er_doctor_say(d, ER_WARN, "notifications", "errand.yml, or its variable", "%s",
                      lack);
    else if (ready > 0)
        er_doctor_say(d, ER_OK, "notifications", NULL,
                      "all channels are set; errand notify:test sends a message");
}

/* The error of a notification in this state, of the newest that has one; or NULL. */
static const char *last_error(struct er_doctor *d, enum errand_state state)
{
    struct errand_list_params p = {
        .filter = {.states = 1u << state, .queue = ER_NOTIFY_QUEUE},
        .newest_first = true,
        .max = LOOK_MOST};
    struct errand_list_result r = {0};

    if (er_store_list(d->cli->store, &p, d->cli->arena, &r, NULL) < 0)
        return NULL;
    for (size_t i = 0; i < r.jobs_n; i++)
        if (r.jobs[i].error.len)
            return errand_arena_copy(d->cli->arena, r.jobs[i].error.ptr,
                                     r.jobs[i].error.len);
    return NULL;
}

void er_doctor_told(struct er_doctor *d)
{
    struct errand_queues_result r = {0};
    const int64_t *counts = NULL;
    const char *why;

    if (er_store_queues(d->cli->store, 0, d->cli->arena, &r, NULL) < 0)
        return;
    for (size_t i = 0; i < r.queues_n; i++)
        if (strcmp(r.queues[i].name, ER_NOTIFY_QUEUE) == 0)
            counts = r.queues[i].counts;
    if (!counts)
        return;
    if (counts[ERRAND_FAILED] && (why = last_error(d, ERRAND_FAILED)))
        er_doctor_say(
            d, ER_WARN, "notifications",
            "errand notify:test until it is sent, then errand queue:retry --all "
            "--queue=" ER_NOTIFY_QUEUE,
            "%" PRId64 " could not be delivered and %s given up: %s",
            counts[ERRAND_FAILED], counts[ERRAND_FAILED] == 1 ? "was" : "were", why);
    if (counts[ERRAND_HELD] && (why = last_error(d, ERRAND_SCHEDULED)))
        er_doctor_say(d, ER_WARN, "notifications",
                      "errand notify:test says when it is mended; it is tried again by "
                      "itself",
                      "%" PRId64 " %s not told of yet, and the last attempt failed: %s",
                      counts[ERRAND_HELD],
                      counts[ERRAND_HELD] == 1 ? "failure is" : "failures are", why);
}
