/* forms.c: the ways of dispatching beside the plain one: by class, on a condition, later.
 */
#include "client/client_test.h"

#include <math.h>

#include "errand/job.h"

#define MINUTE_MS INT64_C(60000)
#define NOON_MS INT64_C(4102488000000)      /* 2100-01-01T12:00:00Z */
#define CHRISTMAS_MS INT64_C(1735084800000) /* 2024-12-25T00:00:00Z */

static int handle(errand_job *job, struct errand_error *error)
{
    (void)job;
    (void)error;
    return ERRAND_DONE;
}

ERRAND_JOB(SendWelcomeEmail, .handle = handle, .queue = "emails", .tries = 3,
           .backoff = ERRAND_BACKOFF(60), .timeout = 120, .unique = "user:{userId}")

static const struct errand_job_class loose = {.name = "Loose", .queue = "aside"};

static void assert_is_on(const struct errand_id *id, const char *queue, int tries)
{
    struct errand_job_detail *d = get(id);

    assert_string_equal(d->job.queue, queue);
    assert_int_equal(d->job.tries, tries);
    errand_detail_free(d);
}

static int64_t jobs_n(void)
{
    struct errand_filter all = {0};
    int64_t n = -1;

    assert_int_equal(er_store_count(er_client_store(e), &all, 0, &n, &err), 0);
    return n;
}

/* ------------------------------------------------------------------ by class */

CLAIM(a_class_of_this_program_is_known_by_name_though_nobody_published_it)
{
    struct errand_id id = dispatched("send-welcome-email", "{\"userId\":1}", NULL), again;

    assert_is_on(&id, "emails", 3);
    assert_int_equal(dispatch("SendWelcomeEmail", "{\"userId\":1}", NULL, &again),
                     ERRAND_DUPLICATE);
    assert_string_equal(again.text, id.text);
}

CLAIM(the_class_at_hand_stands_before_what_was_published)
{
    struct errand_id id;

    publish("SendWelcomeEmail", "sendwelcomeemail", "{\"queue\":\"old\",\"tries\":9}");
    publish("Other", "other", "{\"queue\":\"others\",\"tries\":9}");
    id = dispatched("send_welcome_email", "{\"userId\":2}", NULL);
    assert_is_on(&id, "emails", 3);
    id = dispatched("other", "1", NULL);
    assert_is_on(&id, "others", 9);
}

CLAIM(a_class_that_is_not_registered_can_be_dispatched)
{
    struct errand_id id = {{0}};

    assert_int_equal(errand_dispatch_class(e, &loose, "7", NULL, &id, &err),
                     ERRAND_INSERTED);
    assert_is_on(&id, "aside", 3);
    assert_int_equal(
        errand_dispatch_class(e, &loose, "7",
                              &(struct errand_options){.queue = "mine", .tries = 8}, &id,
                              &err),
        ERRAND_INSERTED);
    assert_is_on(&id, "mine", 8);
}

CLAIM(a_class_with_a_bad_option_is_refused_by_its_name)
{
    static const struct errand_job_class bad = {.name = "Bad", .timeout = -1};
    static const struct errand_job_class nameless = {.queue = "a"};

    assert_int_equal(errand_dispatch_class(e, &bad, "1", NULL, NULL, &err),
                     ERRAND_EINVAL);
    assert_non_null(strstr(err.message, "class 'Bad'"));
    assert_non_null(strstr(err.message, "timeout"));
    assert_int_equal(errand_dispatch_class(e, &nameless, "1", NULL, NULL, &err),
                     ERRAND_EINVAL);
    assert_int_equal(jobs_n(), 0);
}

CLAIM(a_class_registered_later_is_seen_at_once)
{
    static struct errand_job_class late = {
        .name = "Late", .handle = handle, .queue = "late"};
    struct errand_id id = dispatched("before", "1", NULL);

    assert_is_on(&id, "default", 3);
    errand_job_register(&late);
    id = dispatched("late", "1", NULL);
    assert_is_on(&id, "late", 3);
}

/* ------------------------------------------------------------------ if, unless */

CLAIM(on_a_condition_that_fails_nothing_happens_and_nothing_is_looked_at)
{
    struct errand_id id = {"before"};

    assert_int_equal(errand_dispatch_if(e, true, "a", "1", NULL, &id, &err),
                     ERRAND_INSERTED);
    assert_int_equal(errand_dispatch_if(e, false, "a", "1", NULL, &id, &err),
                     ERRAND_NOT_DISPATCHED);
    assert_string_equal(id.text, "");
    assert_int_equal(jobs_n(), 1);
    assert_int_equal(errand_dispatch_unless(e, true, "a", "1", NULL, &id, &err),
                     ERRAND_NOT_DISPATCHED);
    assert_int_equal(errand_dispatch_unless(e, false, "a", "1", NULL, NULL, &err),
                     ERRAND_INSERTED);
    assert_int_equal(jobs_n(), 2);
    /* Neither the name nor the data would do; the key of the class cannot be made. */
    assert_int_equal(errand_dispatch_if(e, false, "no way", "{", NULL, NULL, &err),
                     ERRAND_NOT_DISPATCHED);
    assert_int_equal(
        errand_dispatch_unless(e, true, "SendWelcomeEmail", "{}", NULL, NULL, &err),
        ERRAND_NOT_DISPATCHED);
}

/* ------------------------------------------------------------------ after, at */

CLAIM(after_seconds_means_scheduled_for_then)
{
    struct errand_id id;
    struct errand_job_detail *d;

    clock_of_test.fixed_ms = NOON_MS;
    assert_int_equal(errand_dispatch_after(e, 60, "a", "1", NULL, &id, &err),
                     ERRAND_INSERTED);
    d = get(&id);
    assert_int_equal(d->job.run_at_ms, NOON_MS + MINUTE_MS);
    errand_detail_free(d);
    assert_int_equal(errand_dispatch_after(e, 0.0004, "a", "1", NULL, &id, &err),
                     ERRAND_INSERTED);
    d = get(&id);
    assert_int_equal(d->job.run_at_ms, NOON_MS + 1);
    errand_detail_free(d);
}

TEST(an_instant_is_read_from_its_text)
{
    int64_t ms = 7;

    assert_int_equal(errand_instant("2024-12-25T00:00:00Z", &ms, &err), 0);
    assert_int_equal(ms, 1735084800000);
    assert_int_equal(errand_instant("2024-12-25T01:00:00+01:00", &ms, &err), 0);
    assert_int_equal(ms, 1735084800000);
    assert_int_equal(errand_instant("Christmas", &ms, &err), ERRAND_EINVAL);
    assert_string_equal(err.message,
                        "'Christmas' is no instant such as 2026-12-24T18:00:00Z");
    assert_int_equal(errand_instant(NULL, &ms, NULL), ERRAND_EINVAL);
    assert_int_equal(ms, 1735084800000);
}

CLAIM(after_no_time_and_at_a_time_that_has_passed_mean_now)
{
    const int64_t past[] = {INT64_MIN, -1, 0, 1, CHRISTMAS_MS};
    struct errand_id id;
    struct errand_job_detail *d;

    assert_int_equal(errand_dispatch_after(e, 0, "a", "1", NULL, &id, &err),
                     ERRAND_INSERTED);
    for (size_t i = 0; i < sizeof past / sizeof *past; i++) {
        d = get(&id);
        assert_int_equal(d->job.state, ERRAND_READY);
        errand_detail_free(d);
        assert_int_equal(errand_dispatch_at(e, past[i], "a", "1", NULL, &id, &err),
                         ERRAND_INSERTED);
    }
}

CLAIM(at_an_instant_means_exactly_then)
{
    struct errand_id id;
    struct errand_job_detail *d;
    int64_t far = er_clock_wall_ms(NULL) + 1000 * MINUTE_MS + 7;

    assert_int_equal(errand_dispatch_at(e, far, "a", "1", NULL, &id, &err),
                     ERRAND_INSERTED);
    d = get(&id);
    assert_int_equal(d->job.run_at_ms, far);
    assert_int_equal(d->job.state, ERRAND_SCHEDULED);
    errand_detail_free(d);
}

CLAIM(a_time_that_is_none_is_an_error)
{
    const double bad[] = {NAN, INFINITY, -INFINITY, -0.001, -60, 4e9};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(errand_dispatch_after(e, bad[i], "a", "1", NULL, NULL, &err),
                         ERRAND_EINVAL);
        assert_non_null(strstr(err.message, "delay"));
    }
    assert_int_equal(errand_dispatch_at(e, INT64_MAX, "a", "1", NULL, NULL, &err),
                     ERRAND_EINVAL);
    assert_non_null(strstr(err.message, "9999"));
    assert_int_equal(errand_dispatch_after(e, 1, "a", "1",
                                           &(struct errand_options){.delay_ms = 5}, NULL,
                                           &err),
                     ERRAND_EINVAL);
    assert_int_equal(errand_dispatch_at(e, CHRISTMAS_MS, "a", "1",
                                        &(struct errand_options){.run_at_ms = 5}, NULL,
                                        &err),
                     ERRAND_EINVAL);
    assert_int_equal(jobs_n(), 0);
}

TEST_MAIN()
