/* engine_tell.c: what only a worker can tell those who follow: that an attempt began, or
 * ran out of time. The store tells the rest with what it changes. */
#include "worker/engine_inside.h"

#include "core/events.h"

/* What cannot be told is not: an event is never in the way of a job. */
static void tell(errand_engine *g, const struct errand_event *events, size_t n)
{
    if (n > 0)
        (void)er_store_events_add(g->store, events, n, 0, NULL);
}

static struct errand_event event_of(const struct er_held *h, enum er_told told,
                                    int64_t at_ms)
{
    return (struct errand_event){.at_ms = at_ms,
                                 .type = er_told_name(told),
                                 .id = h->job.id,
                                 .name = h->job.name,
                                 .queue = h->job.queue,
                                 .attempt = h->job.attempt,
                                 .duration_ms = -1,
                                 .delay_ms = -1};
}

void er_engine_tell_started(errand_engine *g, struct errand_engine_job *const *jobs,
                            size_t n)
{
    struct errand_event *events;
    size_t told_n = 0;

    er_arena_reset(g->call);
    if (!g->is_followed || n == 0 ||
        !(events = errand_arena_alloc(g->call, n * sizeof *events)))
        return;
    for (size_t i = 0; i < n; i++) {
        const struct er_held *h = (const struct er_held *)jobs[i];

        if (!h->job.is_failed_hook)
            events[told_n++] = event_of(h, ER_TOLD_STARTED, h->started_ms);
    }
    tell(g, events, told_n);
}

void er_engine_tell_late(errand_engine *g, const struct er_held *h)
{
    const struct errand_event event =
        event_of(h, ER_TOLD_TIMED_OUT, er_store_wall_ms(g->store));

    tell(g, &event, g->is_followed ? 1 : 0);
}
