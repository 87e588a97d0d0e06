/* retries.c: cases 12 to 15, what happens after an attempt that did not work. Waits are
 * looked at in the store and then cut short: nobody sits through them. */
#include "cases/cases.h"

#define S INT64_C(1000)

static int on_broken(errand_job *job, struct errand_error *error)
{
    ledger("attempt %d", errand_job_attempt(job));
    errand_error_set(error, ERRAND_EJOB, "mail server is away");
    return ERRAND_RETRY;
}

ERRAND_JOB(Fixed, .handle = on_broken, .tries = 5, .backoff = ERRAND_BACKOFF(60))
ERRAND_JOB(List, .handle = on_broken, .tries = 5,
           .backoff = ERRAND_BACKOFF(60, 300, 900, 3600))
ERRAND_JOB(LongList, .handle = on_broken, .tries = 7,
           .backoff = ERRAND_BACKOFF(60, 300, 900, 3600))
ERRAND_JOB(Exponential, .handle = on_broken, .tries = 4,
           .backoff = {.strategy = ERRAND_BACKOFF_EXPONENTIAL, .base = 10})
ERRAND_JOB(Linear, .handle = on_broken, .tries = 4,
           .backoff = {.strategy = ERRAND_BACKOFF_LINEAR, .base = 10})

/* A server that says when to come again. */
static int on_busy(errand_job *job, struct errand_error *error)
{
    errand_error_set(error, ERRAND_EJOB, "come again");
    return errand_job_retry_in(job, errand_job_attempt(job) == 1 ? 90 : 0, error) < 0
               ? ERRAND_FAIL
               : ERRAND_RETRY;
}
ERRAND_JOB(Busy, .handle = on_busy, .tries = 3, .backoff = ERRAND_BACKOFF(60))

/* ------------------------------------------------------------------ helpers */

static void run_now(struct errand_id id)
{
    struct errand_change_params p = {
        .kind = ERRAND_CHANGE_RUN_NOW, .ids = &id, .ids_n = 1};
    struct errand_change_result got = {0};

    if (er_store_change(er_client_store(e), &p, case_arena, &got, &err) < 0)
        fail_msg("running now: %s", err.message);
    assert_int_equal(got.changed_n, 1);
}

/* After each attempt the next one is due so much later; after the last none is. */
static void assert_waits(struct errand_id id, const int64_t *waits_ms, size_t n)
{
    const struct errand_job_detail *d;

    for (size_t i = 0; i < n; i++) {
        work_attempts(1);
        d = look(id);
        assert_int_equal(d->job.state, ERRAND_SCHEDULED);
        assert_int_equal(d->attempts_n, i + 1);
        assert_int_equal(d->job.run_at_ms - d->attempts[i].ended_ms, waits_ms[i]);
        run_now(id);
    }
    work_attempts(1);
    d = look(id);
    assert_int_equal(d->job.state, ERRAND_FAILED);
    assert_int_equal(d->attempts_n, n + 1);
    assert_is(d->job.error, "mail server is away");
}

static int64_t events_last(void)
{
    struct errand_events_params p = {.after = -1, .follow_ms = 600 * S};
    struct errand_events_result got = {0};

    assert_int_equal(er_store_events_read(er_client_store(e), &p, case_arena, &got, &err),
                     0);
    return got.last;
}

/* ------------------------------------------------------------------ 12, 13 */

CASE(case_12_a_fixed_backoff_waits_the_same_each_time)
{
    const int64_t waits[] = {60 * S, 60 * S, 60 * S, 60 * S};
    int64_t after = events_last();
    struct errand_id id = push("fixed", "{}", NULL);
    struct errand_events_params p = {.after = after, .max = 100};
    struct errand_events_result got = {0};
    int retrying = 0, failed = 0;

    assert_waits(id, waits, 4);
    assert_int_equal(er_store_events_read(er_client_store(e), &p, case_arena, &got, &err),
                     0);
    for (size_t i = 0; i < got.events_n; i++) {
        const struct errand_event *event = &got.events[i];

        if (strcmp(event->type, "job:retrying") == 0) {
            retrying++;
            assert_int_equal(event->attempt, retrying + 1);
            assert_int_equal(event->delay_ms, 60 * S);
        }
        failed += strcmp(event->type, "job:failed") == 0;
    }
    assert_int_equal(retrying, 4);
    assert_int_equal(failed, 1);
    assert_ledger("attempt 1\nattempt 2\nattempt 3\nattempt 4\nattempt 5\n");
}

CASE(case_13_a_list_has_one_wait_for_each_retry_and_the_last_repeats)
{
    const int64_t waits[] = {60 * S, 300 * S, 900 * S, 3600 * S, 3600 * S, 3600 * S};

    assert_waits(push("list", "{}", NULL), waits, 4);
    assert_waits(push("long-list", "{}", NULL), waits, 6);
}

CASE(case_13_a_strategy_grows_from_its_base)
{
    const int64_t doubling[] = {10 * S, 20 * S, 40 * S};
    const int64_t adding[] = {10 * S, 20 * S, 30 * S};

    assert_waits(push("exponential", "{}", NULL), doubling, 3);
    assert_waits(push("linear", "{}", NULL), adding, 3);
}

CASE(case_13_a_call_says_it_for_its_own_job)
{
    const int64_t waits[] = {7 * S};

    assert_waits(push("fixed", "{}",
                      &(struct errand_options){.tries = 2, .backoff = ERRAND_BACKOFF(7)}),
                 waits, 1);
}

CASE_SHARED(case_13_the_command_and_the_header_line_say_it_as_well)
{
    sh("printf '#!/bin/sh\\n# errand: tries=3 backoff=60,300\\nexit 1\\n' "
       ">app/Jobs/headed; chmod +x app/Jobs/headed");
    assert_code(sh("errand queue:dispatch headed"), 0);
    assert_code(sh("errand queue:dispatch headed --backoff=10 "
                   "--backoff-strategy=exponential --tries=2"),
                0);
    assert_code(sh("errand queue:work --max-jobs=2 --concurrency=1"), 0);
    assert_has(sh("errand queue:list --state=scheduled --json").out, "\"tries\":2");
    assert_int_equal(lines_n(sh("errand queue:list --state=scheduled --json")), 2);
}

CASE(an_attempt_may_say_when_the_next_one_comes)
{
    struct errand_id id = push("busy", "{}", NULL);
    const struct errand_job_detail *d;

    work_attempts(1);
    d = look(id);
    assert_int_equal(d->job.run_at_ms - d->attempts[0].ended_ms, 90 * S);
    run_now(id);
    work_attempts(2); /* the second asked for none */
    assert_state(id, ERRAND_FAILED);
}

CASE(nothing_is_tried_again_after_the_time_that_the_call_named)
{
    struct errand_id id =
        push("fixed", "{}",
             &(struct errand_options){.retry_until_ms = er_clock_wall_ms(NULL) + 30 * S});

    work_attempts(1);
    assert_state(id, ERRAND_FAILED);
    assert_int_equal(look(id)->attempts_n, 1);
}

ERRAND_JOB(Hurried, .handle = on_broken, .tries = 5, .backoff = ERRAND_BACKOFF(60),
           .retry_for = 90)

CASE(nothing_is_tried_again_when_the_time_of_its_class_is_over)
{
    struct errand_id id = push("hurried", "{}", NULL);

    work_attempts(1);
    assert_state(id, ERRAND_SCHEDULED); /* after 60 s: still wanted */
    id = push("hurried", "{}", &(struct errand_options){.backoff = ERRAND_BACKOFF(91)});
    work_attempts(1);
    assert_state(id, ERRAND_FAILED);
}

CASE_SHARED(the_command_and_the_header_line_say_until_when_to_try)
{
    sh("printf '#!/bin/sh\\n# errand: backoff=60 retry-for=30\\nexit 1\\n' "
       ">app/Jobs/headed; chmod +x app/Jobs/headed");
    assert_code(sh("errand queue:dispatch headed --id=by-header"), 0);
    assert_code(sh("mine queue:dispatch fixed --id=by-flag --retry-until=30"), 0);
    assert_code(sh("mine queue:dispatch fixed --id=wanted --retry-until=2m"), 0);
    assert_code(sh("mine queue:work --max-jobs=3"), 0);
    assert_has(sh("errand queue:inspect by-header --json").out, "\"state\":\"failed\"");
    assert_has(sh("errand queue:inspect by-flag --json").out, "\"state\":\"failed\"");
    assert_has(sh("errand queue:inspect wanted --json").out, "\"state\":\"scheduled\"");
}

CASE_SHARED(while_its_file_does_not_compile_a_job_loses_no_attempt)
{
    struct errand_id id;
    struct run r;

    sh("echo '#error not yet' >app/Jobs/Draft.c");
    id = push("draft", "{}", &(struct errand_options){.tries = ERRAND_NO_RETRY});
    r = sh("errand queue:work --max-jobs=1 --max-time=20");
    assert_code(r, 0);
    assert_has(r.err, "again in 10 s: app/Jobs/Draft.c:1:2: error: #error not yet");
    r = sh("errand queue:inspect %s", id.text);
    assert_code(r, 0);
    assert_has(r.err, "it cannot run as it is: app/Jobs/Draft.c:1:2: error: #error");
    assert_state(id, ERRAND_SCHEDULED);
    assert_int_equal(look(id)->job.attempts, 0);
    sh("printf '#include <errand.h>\\nstatic int h(errand_job *j, struct errand_error "
       "*e)\\n"
       "{ (void)j; (void)e; return ERRAND_DONE; }\\nERRAND_JOB(Draft, .handle = h)\\n' "
       ">app/Jobs/Draft.c");
    run_now(id);
    assert_code(sh("errand queue:work --max-jobs=1 --max-time=20"), 0);
    assert_state(id, ERRAND_COMPLETED);
    assert_int_equal(look(id)->job.attempts, 1);
}

/* ------------------------------------------------------------------ 14 */

static void on_import_failed(errand_job *job, const struct errand_error *error)
{
    long long user = 0;

    errand_job_int(job, "userId", &user, NULL);
    ledger("failed: %s (user %lld)", error->message, user);
    if (errand_job_has(job, "crash"))
        abort();
}
ERRAND_JOB(Import, .handle = on_broken, .failed = on_import_failed, .tries = 3,
           .backoff = ERRAND_BACKOFF(0.001))

CASE(case_14_the_failed_hook_runs_once_after_the_last_attempt)
{
    struct errand_id id = push("import", "{\"userId\":1}", NULL);

    work_attempts(3);
    work_all(); /* for the hook, if it has not run yet */
    assert_state(id, ERRAND_FAILED);
    assert_ledger("attempt 1\nattempt 2\nattempt 3\n"
                  "failed: mail server is away (user 1)\n");
}

CASE(case_14_what_goes_wrong_in_the_failed_hook_changes_nothing)
{
    struct errand_id id = push("import", "{\"userId\":1,\"crash\":true}", NULL);

    work_attempts(3);
    work_all();
    assert_state(id, ERRAND_FAILED);
    assert_is(look(id)->job.error, "mail server is away");
    assert_int_equal(ledger_count("failed: mail server is away (user 1)"), 1);
}

/* ------------------------------------------------------------------ 15 */

static int on_slow(errand_job *job, struct errand_error *error)
{
    (void)job;
    (void)error;
    ledger("pid %d", (int)getpid());
    sleep(5);
    ledger("late");
    return ERRAND_DONE;
}
static void on_slow_timed_out(errand_job *job)
{
    long long user = 0;

    errand_job_int(job, "userId", &user, NULL);
    ledger("timed out (user %lld)", user);
}
ERRAND_JOB(Slow, .handle = on_slow, .timed_out = on_slow_timed_out, .tries = 2,
           .timeout = 1, .backoff = ERRAND_BACKOFF(0.001))

/* The processes of the handlers, as they wrote them down. */
static void assert_all_gone(void)
{
    for (const char *p = ledger_read(); (p = strstr(p, "pid ")); p += 4)
        UNTIL(kill((pid_t)strtol(p + 4, NULL, 10), 0) < 0);
}

CASE(case_15_an_attempt_ends_when_its_time_is_over)
{
    struct errand_id id = push("slow", "{\"userId\":1}", NULL);
    const struct errand_job_detail *d;

    work_attempts(2);
    d = look(id);
    assert_int_equal(d->job.state, ERRAND_FAILED);
    assert_is(d->job.error, "timed out after 1 s");
    assert_int_equal(d->attempts_n, 2);
    for (size_t i = 0; i < 2; i++) {
        int64_t took_ms = d->attempts[i].ended_ms - d->attempts[i].started_ms;

        assert_int_equal(d->attempts[i].cause, ERRAND_CAUSE_TIMEOUT);
        if (took_ms < 1000 || took_ms > 3000)
            fail_msg("attempt %zu took %lld ms", i + 1, (long long)took_ms);
    }
    assert_int_equal(ledger_count("timed out (user 1)"), 2);
    assert_int_equal(ledger_count("late"), 0);
    assert_all_gone();
}

CASES_MAIN()
