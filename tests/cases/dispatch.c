/* dispatch.c: cases 1 to 7, handing out work. */
#include "cases/cases.h"

#include <math.h>

#include <errand/health.h>

static int on_note(errand_job *job, struct errand_error *error)
{
    long long n;

    if (errand_job_int(job, "n", &n, error) < 0)
        return ERRAND_FAIL;
    ledger("%lld", n);
    return ERRAND_DONE;
}
ERRAND_JOB(Note, .handle = on_note)

static int on_order(errand_job *job, struct errand_error *error)
{
    struct errand_slice data = errand_job_data(job);

    (void)error;
    ledger("%.*s", (int)data.len, data.ptr);
    return errand_job_result(job, "{\"paid\":true}", error) < 0 ? ERRAND_FAIL
                                                                : ERRAND_DONE;
}
ERRAND_JOB(ProcessOrder, .handle = on_order)

/* Fails, and tells how long it might have taken. */
static int on_welcome(errand_job *job, struct errand_error *error)
{
    long long left = errand_job_deadline_ms(job) - er_clock_wall_ms(NULL);

    ledger("%lld s left, try %d of %d", (left + 500) / 1000, errand_job_attempt(job),
           errand_job_tries(job));
    errand_error_set(error, ERRAND_EJOB, "no such user");
    return ERRAND_RETRY;
}
static void on_welcome_failed(errand_job *job, const struct errand_error *error)
{
    (void)job;
    ledger("failed: %s", error->message);
}
ERRAND_JOB(SendWelcomeEmail, .handle = on_welcome, .failed = on_welcome_failed,
           .queue = "emails", .tries = 3, .backoff = ERRAND_BACKOFF(60), .timeout = 120)

static int key_of(struct errand_slice data, char *ret_key, size_t size,
                  struct errand_error *error)
{
    (void)error;
    ledger("key of %.*s", (int)data.len, data.ptr);
    snprintf(ret_key, size, "the only one");
    return 0;
}
ERRAND_JOB(Keyed, .handle = on_note,
           .middleware = ERRAND_MIDDLEWARE(ERRAND_UNIQUE(.key_function = key_of)))

enum { MANY = 1000 };
#define MINUTE_MS INT64_C(60000)
#define DAY_MS (1440 * MINUTE_MS)
#define CHRISTMAS_MS INT64_C(1735084800000) /* 2024-12-25T00:00:00Z */

/* ------------------------------------------------------------------ 1, 2 */

CASE(case_01_a_dispatched_job_is_stored_then_run_once_with_its_data)
{
    struct errand_id id = push("process-order", "{\"orderId\":123}", NULL);
    const struct errand_job_info *job = &look(id)->job;

    assert_string_equal(job->name, "process-order");
    assert_string_equal(job->queue, "default");
    assert_int_equal(job->state, ERRAND_READY);
    assert_int_equal(job->attempts, 0);
    assert_is(job->data, "{\"orderId\":123}");
    assert_ledger("");
    work_all();
    assert_ledger("{\"orderId\":123}\n");
    assert_state(id, ERRAND_COMPLETED);
    assert_is(look(id)->job.result, "{\"paid\":true}");
}

CASE_SHARED(case_01_the_command_dispatches_and_works)
{
    assert_code(sh("mine queue:dispatch process-order '{\"orderId\":123}' >id"), 0);
    assert_ledger("");
    assert_code(sh("mine queue:work --stop-when-empty"), 0);
    assert_ledger("{\"orderId\":123}\n");
    assert_has(sh("mine queue:inspect $(cat id)").out, "completed");
}

CASE(case_02_a_class_says_how_its_jobs_run)
{
    struct errand_id id = push("SendWelcomeEmail", "{\"userId\":1}", NULL);
    const struct errand_job_detail *d = look(id);

    assert_string_equal(d->job.queue, "emails");
    assert_int_equal(d->job.tries, 3);
    work_attempts(1);
    assert_ledger("120 s left, try 1 of 3\n");
    d = look(id);
    assert_int_equal(d->job.state, ERRAND_SCHEDULED);
    assert_int_equal(d->job.run_at_ms - d->attempts[0].ended_ms, MINUTE_MS);
    assert_is(d->job.data, "{\"userId\":1}");
}

CASE(case_02_a_class_at_hand_is_dispatched_with_its_data)
{
    struct errand_id id = {{0}};

    assert_int_equal(errand_dispatch_class(e, &errand_class_SendWelcomeEmail, "{\"a\":1}",
                                           NULL, &id, &err),
                     ERRAND_INSERTED);
    assert_string_equal(look(id)->job.queue, "emails");
    assert_is(look(id)->job.data, "{\"a\":1}");
}

/* ------------------------------------------------------------------ 3, 4 */

CASE(case_03_in_sync_the_result_comes_back_and_nothing_is_stored)
{
    char *result = NULL;

    assert_int_equal(errand_dispatch_sync(e, "process-order", "{\"orderId\":123}", NULL,
                                          &result, &err),
                     0);
    assert_string_equal(result, "{\"paid\":true}");
    free(result);
    assert_ledger("{\"orderId\":123}\n");
    assert_int_equal(count(-1, NULL), 0);
}

CASE(case_03_in_sync_the_error_comes_back_without_retry_and_failed_hook)
{
    assert_int_equal(
        errand_dispatch_sync(e, "send-welcome-email", "{}", NULL, NULL, &err),
        ERRAND_EJOB);
    assert_string_equal(err.message, "no such user");
    assert_ledger("120 s left, try 1 of 1\n");
    assert_int_equal(count(-1, NULL), 0);
}

CASE_SHARED(case_03_the_command_runs_in_sync)
{
    struct run run = sh("mine queue:dispatch process-order '{\"orderId\":123}' --sync");

    assert_code(run, 0);
    assert_string_equal(run.out, "{\"paid\":true}\n");
    run = sh("mine queue:dispatch send-welcome-email '{}' --sync");
    assert_code(run, 1);
    assert_has(run.err, "no such user");
    assert_has(sh("mine queue:list --json; echo end").out, "end");
    assert_int_equal(lines_n(sh("mine queue:list --json")), 0);
}

CASE(case_04_a_condition_decides_whether_anything_happens)
{
    struct errand_id id = {"before"};

    assert_int_equal(errand_dispatch_if(e, true, "note", "{}", NULL, NULL, &err),
                     ERRAND_INSERTED);
    assert_int_equal(errand_dispatch_if(e, false, "no name at all", "}", NULL, &id, &err),
                     ERRAND_NOT_DISPATCHED);
    assert_string_equal(id.text, "");
    assert_int_equal(count(-1, NULL), 1);
    assert_int_equal(errand_dispatch_unless(e, true, "note", "{}", NULL, NULL, &err),
                     ERRAND_NOT_DISPATCHED);
    assert_int_equal(errand_dispatch_unless(e, false, "note", "{}", NULL, NULL, &err),
                     ERRAND_INSERTED);
    assert_int_equal(count(-1, NULL), 2);
}

CASE(case_04_what_is_not_dispatched_asks_no_key_function)
{
    assert_int_equal(errand_dispatch_if(e, false, "keyed", "1", NULL, NULL, &err),
                     ERRAND_NOT_DISPATCHED);
    assert_int_equal(errand_dispatch_unless(e, true, "keyed", "2", NULL, NULL, &err),
                     ERRAND_NOT_DISPATCHED);
    assert_ledger("");
    assert_int_equal(errand_dispatch_if(e, true, "keyed", "3", NULL, NULL, &err),
                     ERRAND_INSERTED);
    assert_ledger("key of 3\n");
}

/* ------------------------------------------------------------------ 5, 6 */

/* How many jobs a worker would get at that moment. */
static size_t claimable(int64_t now_ms)
{
    struct errand_exchange_params p = {
        .now_ms = now_ms, .max = 10, .lease_ms = 30 * DAY_MS, .worker = "case"};
    struct errand_exchange_result got = {0};

    if (er_store_exchange(er_client_store(e), &p, case_arena, &got, &err) < 0)
        fail_msg("reserving: %s", err.message);
    return got.jobs_n;
}

CASE(case_05_after_sixty_seconds_means_not_a_millisecond_earlier)
{
    struct errand_id id;
    int64_t then;

    the_clock.fixed_ms = er_clock_wall_ms(NULL);
    then = the_clock.fixed_ms + MINUTE_MS;
    assert_int_equal(errand_dispatch_after(e, 60, "note", "{}", NULL, &id, &err),
                     ERRAND_INSERTED);
    assert_int_equal(count(ERRAND_SCHEDULED, NULL), 1);
    assert_int_equal(count(ERRAND_READY, NULL), 0);
    assert_int_equal(claimable(then - 1), 0);
    assert_int_equal(count(ERRAND_SCHEDULED, NULL), 1);
    assert_int_equal(claimable(then), 1);
    assert_int_equal(count(ERRAND_SCHEDULED, NULL), 0);
}

static void assert_health(int64_t delayed, int64_t pending)
{
    struct errand_health *health = NULL;

    assert_int_equal(errand_health(e, NULL, &health, &err), 0);
    assert_int_equal(health->metrics.counts[ERRAND_SCHEDULED], delayed);
    assert_int_equal(health->metrics.counts[ERRAND_READY], pending);
    errand_health_free(health);
}

/* A paused queue: its time comes and nobody takes it. */
CASE(case_05_health_shows_it_delayed_and_then_pending)
{
    int64_t then;

    the_clock.fixed_ms = er_clock_wall_ms(NULL);
    then = the_clock.fixed_ms + MINUTE_MS;
    assert_int_equal(errand_dispatch_after(e, 60, "note", "{}", NULL, NULL, &err),
                     ERRAND_INSERTED);
    assert_int_equal(er_store_queue_pause(er_client_store(e), "default", ERRAND_FOREVER,
                                          the_clock.fixed_ms, &err),
                     0);
    assert_int_equal(claimable(then - 1), 0);
    assert_health(1, 0);
    assert_int_equal(claimable(then), 0);
    assert_health(0, 1);
}

CASE(case_06_at_an_instant_that_has_passed_means_now)
{
    struct errand_id id;

    assert_int_equal(errand_dispatch_at(e, CHRISTMAS_MS, "note", "{}", NULL, &id, &err),
                     ERRAND_INSERTED);
    assert_state(id, ERRAND_READY);
}

CASE(case_06_at_an_instant_to_come_means_exactly_then)
{
    int64_t then = er_clock_wall_ms(NULL) / DAY_MS * DAY_MS + 24 * DAY_MS;
    struct errand_id id;

    assert_int_equal(errand_dispatch_at(e, then, "note", "{}", NULL, &id, &err),
                     ERRAND_INSERTED);
    assert_int_equal(look(id)->job.run_at_ms, then);
    assert_int_equal(claimable(then - 1), 0);
    assert_int_equal(claimable(then), 1);
}

CASE(case_06_a_time_that_is_none_is_refused)
{
    assert_int_equal(errand_dispatch_after(e, NAN, "note", "{}", NULL, NULL, &err),
                     ERRAND_EINVAL);
    assert_int_equal(errand_dispatch_after(e, -60, "note", "{}", NULL, NULL, &err),
                     ERRAND_EINVAL);
    assert_int_equal(errand_dispatch_at(e, INT64_MAX, "note", "{}", NULL, NULL, &err),
                     ERRAND_EINVAL);
    assert_int_equal(count(-1, NULL), 0);
}

CASE_SHARED(case_06_the_command_takes_instants_and_refuses_what_is_none)
{
    assert_code(sh("mine queue:dispatch note '{}' --delay=2024-12-25T00:00:00Z"), 0);
    assert_code(sh("mine queue:dispatch note '{}' --delay=2099-12-25T00:00:00Z"), 0);
    assert_int_equal(lines_n(sh("mine queue:list --state=ready --json")), 1);
    assert_has(sh("mine queue:list --state=scheduled --json").out,
               "\"run_at\":\"2099-12-25T00:00:00.000Z\"");
    assert_code(sh("mine queue:dispatch note '{}' --delay=Invalid"), 2);
    assert_code(sh("mine queue:dispatch note '{}' --delay=-60"), 2);
}

/* ------------------------------------------------------------------ 7 */

/* The ledger holds 0 to n - 1, in that order. */
static void assert_counted(int n)
{
    const char *p = ledger_read();

    for (int i = 0; i < n; i++) {
        char *end;
        if (strtol(p, &end, 10) != i || *end != '\n')
            fail_msg("line %d of the ledger is '%.*s'", i, (int)strcspn(p, "\n"), p);
        p = end + 1;
    }
    assert_string_equal(p, "");
}

CASE(case_07_one_worker_keeps_the_order)
{
    char data[32];

    for (int i = 0; i < MANY; i++) {
        snprintf(data, sizeof data, "{\"n\":%d}", i);
        push("note", data, NULL);
    }
    work_all();
    assert_int_equal(count(ERRAND_COMPLETED, NULL), MANY);
    assert_counted(MANY);
}

CASE_SHARED(case_07_the_command_keeps_the_order)
{
    assert_code(
        sh("i=0; while [ $i -lt %d ]; do echo \"{\\\"n\\\":$i}\"; i=$((i+1)); done "
           "| mine queue:dispatch note --file=-",
           MANY),
        0);
    assert_code(sh("mine queue:work --concurrency=1 --stop-when-empty"), 0);
    assert_counted(MANY);
}

CASES_MAIN()
