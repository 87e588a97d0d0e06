/* events.c: reading what happened, from any place on, without holding anybody up. */
#include "client/client_test.h"

#include <poll.h>
#include <pthread.h>

#include "errand/events.h"

static errand_events *reader(struct errand_events_options options)
{
    errand_events *events = errand_events_open(e, &options, &err);

    if (!events)
        fail_msg("%s", err.message);
    return events;
}

static const struct errand_event *next(errand_events *events)
{
    const struct errand_event *event = NULL;
    int rc = errand_events_next(events, 0, &event, &err);

    if (rc < 0)
        fail_msg("%s", err.message);
    return rc ? event : NULL;
}

static void assert_next(errand_events *events, const char *type, const char *name)
{
    const struct errand_event *event = next(events);

    assert_non_null(event);
    assert_string_equal(event->type, type);
    assert_string_equal(event->name, name);
}

CLAIM(a_reader_begins_with_now)
{
    errand_events *first = reader((struct errand_events_options){0}), *second;

    dispatched("a", NULL, NULL);
    second = reader((struct errand_events_options){0});
    dispatched("b", NULL, NULL);
    assert_next(first, "job:dispatched", "a");
    assert_next(first, "job:dispatched", "b");
    assert_null(next(first));
    assert_next(second, "job:dispatched", "b");
    assert_null(next(second));
    errand_events_close(first);
    errand_events_close(second);
}

CLAIM(a_reader_may_begin_with_all_that_is_kept_or_after_a_number)
{
    errand_events *first = reader((struct errand_events_options){0}), *events;
    const struct errand_event *event;
    int64_t seq;

    dispatched("a", NULL, NULL);
    dispatched("b", NULL, NULL);
    events = reader((struct errand_events_options){.after = ERRAND_EVENTS_ALL});
    event = next(events);
    assert_non_null(event);
    seq = event->seq;
    assert_next(events, "job:dispatched", "b");
    assert_null(next(events));
    errand_events_close(events);
    events = reader((struct errand_events_options){.after = seq});
    assert_next(events, "job:dispatched", "b");
    errand_events_close(events);
    errand_events_close(first);
}

CLAIM(a_reader_may_begin_at_a_time)
{
    errand_events *first = reader((struct errand_events_options){0}), *events;
    struct errand_event old = {.at_ms = 1000,
                               .type = "job:started",
                               .name = "old",
                               .queue = "q",
                               .duration_ms = -1,
                               .delay_ms = -1};

    assert_int_equal(er_store_events_add(er_client_store(e), &old, 1, 0, &err), 0);
    dispatched("a", NULL, NULL);
    events = reader((struct errand_events_options){.since_ms = 2000});
    assert_next(events, "job:dispatched", "a");
    assert_null(next(events));
    errand_events_close(events);
    errand_events_close(first);
}

CLAIM(a_reader_may_want_a_few_types_only)
{
    static const char *const types[] = {"paused", "job:failed", NULL};
    errand_events *events = reader((struct errand_events_options){.types = types});
    struct er_store *store = er_client_store(e);

    dispatched("a", NULL, NULL);
    assert_int_equal(er_store_queue_pause(store, "mail", ERRAND_FOREVER, 0, &err), 0);
    assert_next(events, "queue:paused", "");
    assert_null(next(events));
    errand_events_close(events);
}

CLAIM(who_only_looks_causes_nothing_to_be_stored)
{
    errand_events *events = reader(
        (struct errand_events_options){.after = ERRAND_EVENTS_ALL, .is_look_only = true});

    dispatched("a", NULL, NULL);
    assert_null(next(events));
    errand_events_close(events);
}

CLAIM(a_time_out_without_an_event_is_no_error)
{
    errand_events *events = reader((struct errand_events_options){0});
    const struct errand_event *event;

    assert_int_equal(errand_events_next(events, 20, &event, &err), 0);
    errand_events_close(events);
}

static void *dispatch_soon(void *arg)
{
    errand *other = arg;

    usleep(50000);
    errand_dispatch(other, "late", NULL, NULL, NULL, NULL);
    return NULL;
}

CLAIM(a_reader_is_woken_by_another_handle)
{
    errand_events *events = reader((struct errand_events_options){0});
    const struct errand_event *event;
    errand *other = open_again();
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, dispatch_soon, other), 0);
    assert_int_equal(errand_events_next(events, -1, &event, &err), 1);
    assert_string_equal(event->name, "late");
    assert_int_equal(pthread_join(thread, NULL), 0);
    errand_events_close(events);
    errand_close(other);
}

CLAIM(a_loop_of_ones_own_is_told_by_the_descriptor)
{
    errand_events *events = reader((struct errand_events_options){0});
    struct pollfd fd = {.fd = errand_events_fd(events, &err), .events = POLLIN};

    assert_true(fd.fd >= 0);
    while (next(events))
        ;
    dispatched("a", NULL, NULL);
    assert_int_equal(poll(&fd, 1, 5000), 1);
    assert_next(events, "job:dispatched", "a");
    errand_events_close(events);
}

CLAIM(a_number_that_is_no_more_is_told_as_missed)
{
    errand_events *events = reader((struct errand_events_options){.after = 999999});

    assert_next(events, "events:missed", "");
    dispatched("a", NULL, NULL);
    assert_next(events, "job:dispatched", "a");
    errand_events_close(events);
}

static void refuse_reader(struct errand_events_options options, const char *says)
{
    assert_null(errand_events_open(e, &options, &err));
    assert_int_equal(err.code, ERRAND_EINVAL);
    if (!strstr(err.message, says))
        fail_msg("'%s' is not in '%s'", says, err.message);
}

CLAIM(what_makes_no_sense_is_refused)
{
    static const char *const types[] = {"job:failed", "schedul:fired", NULL};

    refuse_reader((struct errand_events_options){.after = -2}, "after: -2");
    refuse_reader((struct errand_events_options){.since_ms = -5}, "since_ms: -5");
    refuse_reader((struct errand_events_options){.after = 3, .since_ms = 5}, "say one");
    refuse_reader((struct errand_events_options){.types = types}, "schedule:fired");
}

CLAIM(a_reader_outlives_its_handle)
{
    errand *other = open_again();
    errand_events *events = errand_events_open(other, NULL, &err);

    assert_non_null(events);
    errand_close(other);
    dispatched("a", NULL, NULL);
    assert_next(events, "job:dispatched", "a");
    errand_events_close(events);
}

TEST_MAIN()
