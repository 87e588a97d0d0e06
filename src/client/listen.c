/* listen.c: functions that are called when something happens, each by a thread of its own
 * with a reader of its own. Whoever causes an event does not know that anybody listens,
 * so nothing that a listener does can slow or fail it. */
#include "client/events.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/thread.h"

enum { AGAIN_MS = 1000 };

struct errand_listener {
    errand_events *events;
    errand_event_fn *fn;
    void *ctx;
    pthread_t thread;
    pid_t pid;
    int stop_fd;
    atomic_bool is_stopping;
    bool is_own_end; /* ended from inside fn */
};

static void listener_free(errand_listener *l)
{
    errand_events_close(l->events);
    if (l->stop_fd >= 0)
        close(l->stop_fd);
    free(l);
}

/* The store does not answer: not at once again, but stop when told. */
static void pause_for(errand_listener *l)
{
    struct pollfd fd = {.fd = l->stop_fd, .events = POLLIN};

    if (poll(&fd, 1, AGAIN_MS) < 0)
        return;
}

/* What had happened when it was told to stop. */
static void tell_rest(errand_listener *l)
{
    const struct errand_event *event;
    int64_t newest;

    if (er_events_newest(l->events, &newest, NULL) < 0)
        return;
    while (!l->is_own_end && er_events_next(l->events, 0, -1, &event, NULL) > 0) {
        if (event->seq > newest)
            return;
        l->fn(event, l->ctx);
    }
}

static void *listen(void *arg)
{
    errand_listener *l = arg;
    const struct errand_event *event;
    int rc;

    while (!l->is_own_end && !atomic_load(&l->is_stopping)) {
        rc = er_events_next(l->events, -1, l->stop_fd, &event, NULL);
        if (rc > 0)
            l->fn(event, l->ctx);
        else if (rc < 0)
            pause_for(l);
    }
    if (!l->is_own_end)
        tell_rest(l);
    else
        listener_free(l);
    return NULL;
}

static int thread_start(errand_listener *l, struct errand_error *err)
{
    int rc = er_thread_start(&l->thread, listen, l);

    return rc == 0 ? 0
                   : er_error_errno(err, ERRAND_EUNAVAILABLE, rc,
                                    "starting a thread to listen on");
}

errand_listener *errand_on(errand *e, const char *type, errand_event_fn *fn, void *ctx,
                           struct errand_error *err)
{
    const char *types[] = {type, NULL};
    errand_listener *l = calloc(1, sizeof *l);

    if (!l) {
        er_error_nomem(err);
        return NULL;
    }
    *l = (errand_listener){.fn = fn, .ctx = ctx, .pid = getpid(), .stop_fd = -1};
    l->events =
        errand_events_open(e, &(struct errand_events_options){.types = types}, err);
    if (!l->events)
        goto out;
    if ((l->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0) {
        er_error_errno(err, ERRAND_EIO, errno, "making a descriptor to stop by");
        goto out;
    }
    if (thread_start(l, err) == 0)
        return l;
out:
    listener_free(l);
    return NULL;
}

void errand_off(errand_listener *l)
{
    uint64_t one = 1;

    if (!l)
        return;
    if (l->pid != getpid()) { /* the thread is in the parent */
        listener_free(l);
        return;
    }
    if (pthread_equal(pthread_self(), l->thread)) {
        l->is_own_end = true;
        pthread_detach(l->thread);
        return;
    }
    atomic_store(&l->is_stopping, true);
    if (write(l->stop_fd, &one, sizeof one) < 0) {
        /* It looks once a second as well. */
    }
    pthread_join(l->thread, NULL);
    listener_free(l);
}
