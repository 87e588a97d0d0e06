/* events.c: reading what happened, one event after the other.
 *
 * Arm, look, sleep, as in wait.c. A reader says with each look that it follows for the
 * next minute; the store renews that when less than half is left. So one that was held up
 * for longer may have missed what nobody stored, which no gap in the numbers tells: it is
 * told as missed. */
#include "client/events.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "client/handle.h"
#include "core/clock.h"
#include "core/events.h"

enum { LOOK_MS = 1000, FOLLOW_MS = 60000, PAGE = 500 };

struct errand_events {
    struct er_store *store;
    struct errand_arena *arena; /* of the page */
    uint32_t types;             /* bits 1 << er_told; 0: all */
    int64_t after, since_ms, follow_ms;
    int64_t looked_ms; /* monotonic */
    struct errand_event *page;
    size_t page_n, page_i;
    bool has_missed; /* to be told before the page */
    struct errand_event missed;
};

/* ------------------------------------------------------------------ open, close */

static int types_parse(const char *const *types, uint32_t *ret, struct errand_error *err)
{
    enum er_told told;
    int rc;

    for (size_t i = 0; types && types[i]; i++) {
        if ((rc = er_told_parse(types[i], &told, err)) < 0)
            return rc;
        *ret |= UINT32_C(1) << told;
    }
    return 0;
}

static int options_take(errand_events *ev, const struct errand_events_options *o,
                        struct errand_error *err)
{
    if (o->after < ERRAND_EVENTS_ALL || o->since_ms < 0)
        return errand_error_set(err, ERRAND_EINVAL, "%s: %lld is negative",
                                o->since_ms < 0 ? "since_ms" : "after",
                                (long long)(o->since_ms < 0 ? o->since_ms : o->after));
    if (o->after && o->since_ms)
        return errand_error_set(err, ERRAND_EINVAL,
                                "after and since_ms are both given; say one");
    ev->since_ms = o->since_ms;
    ev->follow_ms = o->is_look_only ? 0 : FOLLOW_MS;
    return types_parse(o->types, &ev->types, err);
}

static int read_page(errand_events *ev, int64_t after, size_t max,
                     struct errand_events_result *ret, struct errand_error *err)
{
    struct errand_events_params p = {
        .after = after, .max = max, .follow_ms = ev->follow_ms};

    er_arena_reset(ev->arena);
    ev->page_n = ev->page_i = 0;
    return er_store_events_read(ev->store, &p, ev->arena, ret, err);
}

/* From here on it follows: what happens after the return is stored. */
static int begin(errand_events *ev, const struct errand_events_options *o,
                 struct errand_error *err)
{
    struct errand_events_result now;
    int rc;

    if ((rc = read_page(ev, -1, 1, &now, err)) < 0)
        return rc;
    ev->looked_ms = er_clock_mono_ms(NULL);
    ev->after = now.last;
    if (o->after > 0)
        ev->after = o->after;
    else if (o->after < 0 || o->since_ms)
        ev->after = now.last > ERRAND_EVENTS_KEPT ? now.last - ERRAND_EVENTS_KEPT : 0;
    return 0;
}

static int open_it(errand_events *ev, errand *e, const struct errand_events_options *o,
                   struct errand_error *err)
{
    int rc;

    if ((rc = options_take(ev, o, err)) < 0)
        return rc;
    if (!(ev->arena = er_arena_new()))
        return er_error_nomem(err);
    if ((rc = er_store_again(e->store, &ev->store, err)) < 0)
        return rc;
    return begin(ev, o, err);
}

errand_events *errand_events_open(errand *e, const struct errand_events_options *options,
                                  struct errand_error *err)
{
    static const struct errand_events_options standard;
    errand_events *ev = calloc(1, sizeof *ev);

    if (!ev) {
        er_error_nomem(err);
        return NULL;
    }
    if (open_it(ev, e, options ? options : &standard, err) < 0) {
        errand_events_close(ev);
        return NULL;
    }
    return ev;
}

void errand_events_close(errand_events *ev)
{
    if (!ev)
        return;
    er_store_close(ev->store);
    er_arena_free(ev->arena);
    free(ev);
}

/* ------------------------------------------------------------------ reading */

static bool is_wanted(const errand_events *ev, const struct errand_event *event)
{
    enum er_told told;

    if (event->at_ms < ev->since_ms)
        return false;
    if (!ev->types)
        return true;
    /* A type that this version does not know was asked for by nobody. */
    return er_told_parse(event->type, &told, NULL) == 0 && ev->types >> told & 1;
}

static void missed_set(errand_events *ev)
{
    ev->has_missed = true;
    ev->missed = (struct errand_event){.seq = ev->after,
                                       .at_ms = er_clock_wall_ms(NULL),
                                       .type = er_told_name(ER_TOLD_MISSED),
                                       .name = "",
                                       .queue = "",
                                       .duration_ms = -1,
                                       .delay_ms = -1};
}

/* 1: something was read; 0: there is nothing. */
static int look(errand_events *ev, struct errand_error *err)
{
    int64_t now_ms = er_clock_mono_ms(NULL);
    bool has_lapsed = ev->follow_ms && now_ms - ev->looked_ms > FOLLOW_MS / 2;
    struct errand_events_result got = {0};
    int rc;

    if ((rc = read_page(ev, ev->after, PAGE, &got, err)) < 0)
        return rc;
    ev->looked_ms = now_ms;
    if (got.fell_behind || has_lapsed)
        missed_set(ev);
    ev->after = got.last;
    ev->page = got.events;
    ev->page_n = got.events_n;
    return got.events_n || ev->has_missed;
}

static const struct errand_event *take(errand_events *ev)
{
    if (ev->has_missed) {
        ev->has_missed = false;
        if (!ev->types || ev->types >> ER_TOLD_MISSED & 1)
            return &ev->missed;
    }
    while (ev->page_i < ev->page_n) {
        const struct errand_event *event = &ev->page[ev->page_i++];
        if (is_wanted(ev, event))
            return event;
    }
    return NULL;
}

/* What is there, with the descriptor armed when it is nothing. */
static int find(errand_events *ev, const struct errand_event **ret,
                struct errand_error *err)
{
    bool is_armed = false;
    int rc;

    for (;;) {
        if ((*ret = take(ev)))
            return 1;
        if ((rc = look(ev, err)) < 0)
            return rc;
        if (rc > 0)
            continue;
        if (is_armed || !ev->follow_ms)
            return 0;
        if ((rc = er_store_wait_arm(ev->store, ERRAND_WAIT_EVENTS, err)) < 0)
            return rc;
        is_armed = true;
    }
}

/* 1: told, or time to look; 0: to stop. */
static int sleep_until_told(errand_events *ev, int64_t left_ms, int stop_fd,
                            struct errand_error *err)
{
    struct pollfd fds[2] = {{.events = POLLIN}, {.fd = stop_fd, .events = POLLIN}};
    int ms = left_ms < 0 || left_ms > LOOK_MS ? LOOK_MS : (int)left_ms;

    if ((fds[0].fd = er_store_wait_fd(ev->store, err)) < 0)
        return fds[0].fd;
    if (poll(fds, 2, ms) < 0 && errno != EINTR)
        return er_error_errno(err, ERRAND_EIO, errno, "waiting for the store");
    return !(fds[1].revents & POLLIN);
}

int er_events_next(errand_events *ev, int64_t timeout_ms, int stop_fd,
                   const struct errand_event **ret, struct errand_error *err)
{
    int64_t start_ms = er_clock_mono_ms(NULL), left_ms = timeout_ms;
    int rc;

    while ((rc = find(ev, ret, err)) == 0) {
        if (timeout_ms >= 0)
            left_ms = timeout_ms - (er_clock_mono_ms(NULL) - start_ms);
        if (timeout_ms >= 0 && left_ms <= 0)
            return 0;
        if ((rc = sleep_until_told(ev, left_ms, stop_fd, err)) <= 0)
            return rc;
    }
    return rc;
}

int errand_events_next(errand_events *events, int64_t timeout_ms,
                       const struct errand_event **ret_event, struct errand_error *err)
{
    return er_events_next(events, timeout_ms, -1, ret_event, err);
}

int errand_events_fd(errand_events *events, struct errand_error *err)
{
    return er_store_wait_fd(events->store, err);
}

int er_events_newest(errand_events *ev, int64_t *ret_seq, struct errand_error *err)
{
    struct errand_events_params p = {.after = -1, .max = 1};
    struct errand_events_result got;
    int rc = er_store_events_read(ev->store, &p, ev->arena, &got, err);

    if (rc == 0)
        *ret_seq = got.last;
    return rc;
}
