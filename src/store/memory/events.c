/* events.c: the last things that happened, in a ring with a growing number. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/memory/memory.h"

static void event_free(struct errand_event *event)
{
    if (!event)
        return;
    free((char *)event->type);
    free((char *)event->name);
    free((char *)event->queue);
    er_mem_slice_free(&event->error);
    free(event);
}

void er_mem_events_free(struct mem_store *store)
{
    for (size_t i = 0; i < ERRAND_EVENTS_KEPT; i++)
        event_free(store->events.ring[i]);
}

static struct errand_event *event_new(const struct errand_event *from, int64_t now_ms)
{
    struct errand_event *event = calloc(1, sizeof *event);

    if (!event)
        return NULL;
    *event = *from;
    if (!event->at_ms)
        event->at_ms = now_ms;
    event->error = (struct errand_slice){0};
    event->type = er_mem_dup(from->type);
    event->name = er_mem_dup(from->name);
    event->queue = er_mem_dup(from->queue);
    if (event->type && event->name && event->queue &&
        er_mem_slice_dup(from->error, &event->error) == 0)
        return event;
    event_free(event);
    return NULL;
}

static void insert(struct mem_events *events, struct errand_event *event)
{
    struct errand_event **place;

    event->seq = ++events->last_seq;
    place = &events->ring[event->seq % ERRAND_EVENTS_KEPT];
    event_free(*place);
    *place = event;
}

/* With no memory left for the event the call still does what it was asked: a listener
 * that misses something costs less than a store that is half changed. */
void er_mem_tell(struct mem_call *call, const struct errand_event *from)
{
    struct errand_event *event;

    if (!er_mem_hints(call) || !(event = event_new(from, call->now_ms)))
        return;
    insert(&call->store->events, event);
    call->wakes |= ERRAND_WAIT_EVENTS;
}

void er_mem_tell_job(struct mem_call *call, const struct mem_job *job, enum er_told told,
                     struct errand_slice error)
{
    er_mem_tell(call, &(struct errand_event){.type = er_told_name(told),
                                             .id = job->id,
                                             .name = job->name,
                                             .queue = job->queue->name,
                                             .attempt = job->attempts,
                                             .duration_ms = -1,
                                             .delay_ms = -1,
                                             .error = error});
}

static int add(struct mem_call *call, const struct errand_event *from, size_t n)
{
    struct errand_event **made = calloc(n ? n : 1, sizeof *made);
    int rc = made ? 0 : -1;

    for (size_t i = 0; rc == 0 && i < n; i++)
        if (!(made[i] = event_new(&from[i], call->now_ms)))
            rc = -1;
    for (size_t i = 0; made && i < n; i++) {
        if (rc == 0)
            insert(&call->store->events, made[i]);
        else
            event_free(made[i]);
    }
    free(made);
    if (rc == 0 && n)
        call->wakes |= ERRAND_WAIT_EVENTS;
    return rc;
}

int er_mem_op_events_add(struct errand_conn *conn, const struct errand_event *events,
                         size_t n, int64_t now_ms, struct errand_error *err)
{
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "events_add", now_ms, NULL, err);

    if (rc < 0)
        return rc;
    if (add(&call, events, n) < 0)
        rc = er_error_nomem(err);
    return er_mem_end(&call, "events_add", rc, err);
}

/* ------------------------------------------------------------------ read */

static int event_out(struct mem_call *call, const struct errand_event *from,
                     struct errand_event *ret)
{
    *ret = *from;
    if (!(ret->type = er_mem_out(call, from->type)) ||
        !(ret->name = er_mem_out(call, from->name)) ||
        !(ret->queue = er_mem_out(call, from->queue)))
        return -1;
    return er_mem_slice_out(call, from->error, &ret->error);
}

static int read_from(struct mem_call *call, int64_t seq, size_t max,
                     struct errand_events_result *ret)
{
    const struct mem_events *events = &call->store->events;
    size_t n = (size_t)(events->last_seq - seq + 1);

    if (n > max)
        n = max;
    if (!(ret->events = errand_arena_alloc(call->arena, n * sizeof *ret->events)))
        return -1;
    for (; ret->events_n < n; ret->events_n++, seq++) {
        const struct errand_event *from = events->ring[seq % ERRAND_EVENTS_KEPT];
        if (event_out(call, from, &ret->events[ret->events_n]) < 0)
            return -1;
        ret->last = seq;
    }
    return 0;
}

static int events_read(struct mem_call *call, const struct errand_events_params *p,
                       struct errand_events_result *ret)
{
    struct mem_events *events = &call->store->events;
    int64_t first = events->last_seq - ERRAND_EVENTS_KEPT + 1;
    int64_t from = p->after + 1;

    if (p->follow_ms > 0 && call->now_ms + p->follow_ms > events->followed_until_ms)
        events->followed_until_ms = call->now_ms + p->follow_ms;
    ret->last = events->last_seq;
    if (p->after < 0)
        return 0;
    if (first < 1)
        first = 1;
    ret->fell_behind = from < first || p->after > events->last_seq;
    return read_from(call,
                     ret->fell_behind && from < first ? first
                     : ret->fell_behind               ? events->last_seq + 1
                                                      : from,
                     p->max, ret);
}

int er_mem_op_events_read(struct errand_conn *conn, const struct errand_events_params *p,
                          struct errand_arena *arena, struct errand_events_result *ret,
                          struct errand_error *err)
{
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "events_read", p->now_ms, arena, err);

    if (rc < 0)
        return rc;
    if (events_read(&call, p, ret) < 0)
        rc = er_error_nomem(err);
    return er_mem_end(&call, "events_read", rc, err);
}
