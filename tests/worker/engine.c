/* engine.c: a host that reserves, runs and finishes by itself, in a loop of its own. */
#include "client/client_test.h"

#include <math.h>
#include <poll.h>

#include "errand/engine.h"
#include "errand/events.h"
#include "errand/health.h"

static errand_engine *engine(struct errand_engine_options options)
{
    errand_engine *g = errand_engine_open(test_url, NULL, &options, &err);

    if (!g)
        fail_msg("%s", err.message);
    return g;
}

static struct errand_engine_job *reserve_one(errand_engine *g)
{
    struct errand_engine_job **jobs;
    size_t n;

    if (errand_engine_reserve(g, 1, &jobs, &n, &err) < 0)
        fail_msg("%s", err.message);
    return n ? jobs[0] : NULL;
}

static void assert_is(const struct errand_id *id, enum errand_state state, int attempts)
{
    struct errand_job_detail *d = get(id);

    assert_string_equal(errand_state_name(d->job.state), errand_state_name(state));
    assert_int_equal(d->job.attempts, attempts);
    errand_detail_free(d);
}

static void turn(errand_engine *g)
{
    if (errand_engine_turn(g, &err) < 0)
        fail_msg("%s", err.message);
}

/* What a host does between two looks. */
static void doze(errand_engine *g)
{
    struct pollfd p = {.fd = errand_engine_fd(g), .events = POLLIN};

    poll(&p, 1, (int)errand_engine_timeout_ms(g));
    turn(g);
}

/* ------------------------------------------------------------------ the loop */

CLAIM(a_host_works_what_there_is_and_sleeps_until_there_is_more)
{
    errand_engine *g = engine((struct errand_engine_options){.sleep = 30});
    struct errand_engine_job **jobs;
    struct errand_id ids[25];
    size_t n, done = 0;
    char data[32];

    for (int i = 0; i < 20; i++) {
        snprintf(data, sizeof data, "{\"n\":%d}", i);
        ids[i] = dispatched("note", data, NULL);
    }
    for (int rounds = 0; done < 25 && rounds < 200; rounds++) {
        assert_int_equal(errand_engine_reserve(g, 4, &jobs, &n, &err), 0);
        for (size_t i = 0; i < n; i++) {
            snprintf(data, sizeof data, "{\"n\":%zu}", done++);
            assert_string_equal(jobs[i]->data.ptr, data);
            assert_string_equal(jobs[i]->queue, "default");
            assert_int_equal(jobs[i]->attempt, 1);
            assert_int_equal(jobs[i]->timeout_ms, 300000);
            assert_int_equal(errand_engine_finish(
                                 g, jobs[i],
                                 &(struct errand_engine_outcome){.result = "{\"ok\":1}"},
                                 &err),
                             0);
        }
        if (done >= 20 && done < 25) { /* it sleeps for half a minute, and is woken */
            snprintf(data, sizeof data, "{\"n\":%zu}", done);
            ids[done] = dispatched("note", data, NULL);
        }
        if (n == 0)
            doze(g);
    }
    assert_int_equal(done, 25);
    for (int i = 0; i < 25; i++) {
        struct errand_job_detail *d = get(&ids[i]);

        assert_int_equal(d->job.state, ERRAND_COMPLETED);
        assert_slice(d->job.result, "{\"ok\":1}");
        errand_detail_free(d);
    }
    errand_engine_close(g);
}

CLAIM(queues_go_in_their_order_and_no_other_is_touched)
{
    static const char *const queues[] = {"high", "low", NULL};
    errand_engine *g = engine((struct errand_engine_options){.queues = queues});
    struct errand_id low = dispatched("a", "1", &(struct errand_options){.queue = "low"}),
                     high =
                         dispatched("a", "1", &(struct errand_options){.queue = "high"}),
                     other = dispatched("a", "1", NULL);
    struct errand_engine_job *job = reserve_one(g);

    assert_string_equal(job->id.text, high.text);
    job = reserve_one(g);
    assert_string_equal(job->id.text, low.text);
    assert_null(reserve_one(g));
    assert_is(&other, ERRAND_READY, 0);
    errand_engine_close(g); /* hands both back */
    assert_is(&high, ERRAND_READY, 0);
    assert_is(&low, ERRAND_READY, 0);
}

/* ------------------------------------------------------------------ outcomes */

CLAIM(a_failure_is_tried_again_as_the_published_class_says_and_then_failed)
{
    errand_engine *g;
    struct errand_engine_job *job;
    struct errand_job_detail *d;
    struct errand_id id;

    publish("Mail", "mail", "{\"tries\":2,\"backoff\":[60],\"hooks\":[\"failed\"]}");
    id = dispatched("mail", "1", NULL);
    g = engine((struct errand_engine_options){0});
    job = reserve_one(g);
    assert_int_equal(
        errand_engine_finish(g, job,
                             &(struct errand_engine_outcome){.verdict = ERRAND_RETRY,
                                                             .error = "down",
                                                             .log = "tried",
                                                             .has_failed_hook = true},
                             &err),
        0);
    d = get(&id);
    assert_int_equal(d->job.state, ERRAND_SCHEDULED);
    assert_int_equal(d->job.run_at_ms - d->attempts[0].ended_ms, 60000);
    assert_slice(d->attempts[0].error, "down");
    assert_slice(d->attempts[0].log, "tried");
    errand_detail_free(d);
    {
        struct errand_change_params now = {
            .kind = ERRAND_CHANGE_RUN_NOW, .ids = &id, .ids_n = 1};
        struct errand_change_result changed = {0};

        er_store_change(er_client_store(e), &now, test_arena, &changed, &err);
    }
    job = reserve_one(g);
    assert_int_equal(job->attempt, 2);
    assert_int_equal(
        errand_engine_finish(g, job,
                             &(struct errand_engine_outcome){.verdict = ERRAND_RETRY,
                                                             .error = "down",
                                                             .has_failed_hook = true},
                             &err),
        0);
    assert_is(&id, ERRAND_FAILED, 2);
    job = reserve_one(g);
    assert_true(job->is_failed_hook);
    assert_slice(job->error, "down");
    assert_int_equal(errand_engine_finish(g, job, NULL, &err), 0);
    assert_null(reserve_one(g));
    errand_engine_close(g);
}

CLAIM(snooze_gives_the_attempt_back_and_fail_is_for_good)
{
    errand_engine *g = engine((struct errand_engine_options){0});
    struct errand_id later = dispatched("a", "1", NULL),
                     never = dispatched("b", "1", NULL);

    assert_int_equal(
        errand_engine_finish(
            g, reserve_one(g),
            &(struct errand_engine_outcome){.verdict = ERRAND_SNOOZE, .wait = 60}, &err),
        0);
    assert_is(&later, ERRAND_SCHEDULED, 0);
    assert_int_equal(errand_engine_finish(
                         g, reserve_one(g),
                         &(struct errand_engine_outcome){.verdict = ERRAND_FAIL}, &err),
                     0);
    assert_is(&never, ERRAND_FAILED, 1);
    errand_engine_close(g);
}

CLAIM(a_bad_outcome_is_refused_and_can_be_told_again)
{
    errand_engine *g = engine((struct errand_engine_options){0});
    struct errand_id id = dispatched("a", "1", NULL);
    struct errand_engine_job *job = reserve_one(g);

    assert_int_equal(errand_engine_finish(
                         g, job, &(struct errand_engine_outcome){.result = "{"}, &err),
                     ERRAND_EJSON);
    assert_int_equal(
        errand_engine_finish(
            g, job,
            &(struct errand_engine_outcome){.verdict = ERRAND_SNOOZE, .wait = NAN}, &err),
        ERRAND_EINVAL);
    assert_int_equal(errand_engine_progress(g, job, 101, NULL, &err), ERRAND_EINVAL);
    assert_is(&id, ERRAND_RUNNING, 1);
    assert_int_equal(errand_engine_finish(g, job, NULL, &err), 0);
    assert_is(&id, ERRAND_COMPLETED, 1);
    errand_engine_close(g);
}

CLAIM(data_that_no_host_may_see_never_gets_to_one)
{
    errand_engine *g;
    struct errand_id id = dispatched("strict", "{\"to\":1}", NULL);

    publish("Strict", "strict",
            "{\"schema\":{\"type\":\"object\",\"required\":[\"from\"]}}");
    g = engine((struct errand_engine_options){0});
    assert_null(reserve_one(g));
    assert_is(&id, ERRAND_FAILED, 1);
    errand_engine_close(g);
}

/* ------------------------------------------------------------------ time */

CLAIM(leases_are_extended_while_the_host_turns)
{
    errand_engine *g = engine((struct errand_engine_options){.lease = 2}),
                  *other = engine((struct errand_engine_options){.lease = 2});
    struct errand_id id = dispatched("a", "1", NULL);
    struct errand_engine_job *job = reserve_one(g);
    int64_t until_ms = er_clock_mono_ms(NULL) + 3000; /* longer than the lease */

    assert_int_equal(errand_engine_progress(g, job, 40, "half", &err), 0);
    while (er_clock_mono_ms(NULL) < until_ms) {
        doze(g);
        turn(other); /* which would take it */
        assert_null(reserve_one(other));
    }
    assert_int_equal(job->stop, ERRAND_ENGINE_RUNS);
    {
        struct errand_job_detail *d = get(&id);

        assert_int_equal(d->job.progress, 40);
        errand_detail_free(d);
    }
    assert_int_equal(errand_engine_finish(g, job, NULL, &err), 0);
    assert_is(&id, ERRAND_COMPLETED, 1);
    errand_engine_close(other);
    errand_engine_close(g);
}

CLAIM(a_host_that_slept_too_long_has_lost_its_job)
{
    errand_engine *g = engine((struct errand_engine_options){.lease = 0.1}),
                  *other = engine((struct errand_engine_options){.lease = 0.1});
    struct errand_id id = dispatched("a", "1", NULL);
    struct errand_engine_job *job = reserve_one(g), *again;

    usleep(200000);
    turn(other);
    assert_non_null(again = reserve_one(other));
    assert_int_equal(again->attempt, 2);
    turn(g);
    assert_int_equal(job->stop, ERRAND_ENGINE_LOST);
    assert_int_equal(errand_engine_finish(g, job, NULL, &err), 1);
    assert_is(&id, ERRAND_RUNNING, 2);
    assert_int_equal(errand_engine_finish(other, again, NULL, &err), 0);
    assert_is(&id, ERRAND_COMPLETED, 2);
    errand_engine_close(other);
    errand_engine_close(g);
}

CLAIM(late_is_failed_whatever_the_host_says)
{
    errand_engine *g = engine((struct errand_engine_options){0});
    struct errand_id id =
        dispatched("a", "1", &(struct errand_options){.timeout = 0.05, .tries = 1});
    struct errand_engine_job *job = reserve_one(g);
    struct errand_job_detail *d;

    assert_true(errand_engine_timeout_ms(g) <= 50);
    usleep(60000);
    turn(g);
    assert_int_equal(job->stop, ERRAND_ENGINE_LATE);
    assert_int_equal(errand_engine_finish(g, job, NULL, &err), 0);
    d = get(&id);
    assert_int_equal(d->job.state, ERRAND_FAILED);
    assert_slice(d->job.error, "timed out after 0.05 s");
    assert_int_equal(d->attempts[0].cause, ERRAND_CAUSE_TIMEOUT);
    errand_detail_free(d);
    errand_engine_close(g);
}

CLAIM(a_cancel_is_heard_and_obeyed)
{
    errand_engine *g = engine((struct errand_engine_options){.sleep = 30});
    struct errand_id id = dispatched("a", "1", NULL);
    struct errand_engine_job *job = reserve_one(g);
    struct errand_change_params cancel = {
        .kind = ERRAND_CHANGE_CANCEL, .ids = &id, .ids_n = 1};
    struct errand_change_result changed = {0};

    assert_null(reserve_one(g)); /* and sleeps */
    usleep(60000);
    er_store_change(er_client_store(e), &cancel, test_arena, &changed, &err);
    for (int i = 0; i < 50 && job->stop == ERRAND_ENGINE_RUNS; i++)
        doze(g);
    assert_int_equal(job->stop, ERRAND_ENGINE_CANCELLED);
    assert_int_equal(
        errand_engine_finish(
            g, job, &(struct errand_engine_outcome){.verdict = ERRAND_RETRY}, &err),
        0);
    assert_is(&id, ERRAND_CANCELLED, 1);
    errand_engine_close(g);
}

CLAIM(what_is_handed_back_is_in_its_old_place)
{
    errand_engine *g = engine((struct errand_engine_options){.sleep = 30});
    struct errand_id first = dispatched("a", "1", NULL);
    struct errand_engine_job *job;

    dispatched("a", "2", NULL);
    assert_non_null(job = reserve_one(g));
    assert_int_equal(errand_engine_hand_back(g, job, &err), 0);
    assert_is(&first, ERRAND_READY, 0);
    assert_non_null(job = reserve_one(g));
    assert_string_equal(job->id.text, first.text);
    assert_int_equal(job->attempt, 1);
    errand_engine_close(g);
    assert_is(&first, ERRAND_READY, 0);
}

CLAIM(what_an_engine_worked_is_in_the_numbers)
{
    errand_engine *g = engine((struct errand_engine_options){0});
    const struct errand_engine_outcome bad = {.verdict = ERRAND_FAIL, .error = "no"};
    const struct errand_engine_outcome later = {.verdict = ERRAND_SNOOZE, .wait = 60};
    const struct errand_stats_query by_name = {.by_name = true};
    struct errand_stats *stats;

    for (int i = 0; i < 4; i++) {
        struct errand_engine_job *job;

        dispatched("a", "1", NULL);
        assert_non_null(job = reserve_one(g));
        assert_int_equal(errand_engine_finish(g, job,
                                              i == 0   ? &bad
                                              : i == 1 ? &later
                                                       : NULL,
                                              &err),
                         0);
    }
    errand_engine_close(g);
    assert_int_equal(errand_stats(e, &by_name, &stats, &err), 0);
    assert_int_equal(stats->rows_n, 1);
    assert_string_equal(stats->rows[0].name, "a");
    assert_int_equal(stats->rows[0].done, 2);
    assert_int_equal(stats->rows[0].failed, 1);
    assert_int_equal(stats->rows[0].retried, 0);
    errand_stats_free(stats);
}

CLAIM(whoever_follows_is_told_of_every_attempt)
{
    static const char *const wanted[] = {
        "job:dispatched", "job:started", "job:retrying",  "job:started", "job:completed",
        "job:dispatched", "job:started", "job:timed-out", "job:failed"};
    errand_engine *g = engine((struct errand_engine_options){.sleep = 30});
    const struct errand_engine_outcome again = {.verdict = ERRAND_RETRY, .wait = 0.001};
    const struct errand_event *event;
    struct errand_engine_job *job;
    errand_events *events = errand_events_open(e, NULL, &err);

    assert_non_null(events);
    dispatched("a", "1", NULL);
    for (int i = 0; i < 2; i++) {
        while (!(job = reserve_one(g)))
            doze(g);
        assert_int_equal(errand_engine_finish(g, job, i ? NULL : &again, &err), 0);
    }
    dispatched("late", "1", &(struct errand_options){.timeout = 0.01, .tries = 1});
    assert_non_null(job = reserve_one(g));
    usleep(20000);
    assert_int_equal(errand_engine_finish(g, job, NULL, &err), 0);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        do
            assert_int_equal(errand_events_next(events, 5000, &event, &err), 1);
        while (strcmp(event->type, "worker:started") == 0);
        assert_string_equal(event->type, wanted[i]);
        assert_string_equal(event->name, i < 5 ? "a" : "late");
    }
    errand_events_close(events);
    errand_engine_close(g);
}

TEST(what_cannot_be_opened_is_an_error)
{
    assert_null(errand_engine_open("nowhere:", NULL, NULL, &err));
    assert_non_null(strstr(err.message, "nowhere"));
    errand_engine_close(NULL);
}

TEST_MAIN()
