/* limits.c: cases 16 and 17, unique jobs and rate limits. */
#include "cases/cases.h"

enum { MANY = 250, RATE = 100, WINDOW_MS = 1500, PUSHERS = 5, EACH = 10 };

static int on_note(errand_job *job, struct errand_error *error)
{
    (void)error;
    ledger("%lld %d", (long long)er_clock_wall_ms(NULL), errand_job_attempt(job));
    return ERRAND_DONE;
}
ERRAND_JOB(ProcessOrder, .handle = on_note,
           .middleware = ERRAND_MIDDLEWARE(ERRAND_UNIQUE(.key = "order:{orderId}",
                                                         .ttl = 3600)))
ERRAND_JOB(Notify, .handle = on_note,
           .middleware = ERRAND_MIDDLEWARE(ERRAND_RATE_LIMIT(.name = "notifications",
                                                             .max = RATE,
                                                             .per = WINDOW_MS / 1000.0)))

/* ------------------------------------------------------------------ case 16 */

CASE(case_16_of_two_dispatches_with_one_key_there_is_one_job)
{
    struct errand_id first = push("process-order", "{\"orderId\":7}", NULL), again;

    assert_int_equal(
        errand_dispatch(e, "process-order", "{\"orderId\":7}", NULL, &again, &err),
        ERRAND_DUPLICATE);
    assert_string_equal(again.text, first.text);
    again = push("process-order", "{\"orderId\":8}", NULL);
    assert_string_not_equal(again.text, first.text);
    assert_int_equal(count(-1, NULL), 2);
    work_all();
    /* it is held for the time, whatever became of the job */
    assert_int_equal(
        errand_dispatch(e, "process-order", "{\"orderId\":7}", NULL, &again, &err),
        ERRAND_DUPLICATE);
}

/* The store has its own clock: the end of the time is seen with a short one. */
CASE(case_16_after_its_time_the_key_is_free)
{
    struct errand_options o = {.unique = "order:7", .unique_for = 0.2};
    struct errand_id first = push("process-order", "{\"orderId\":7}", &o), again = first;

    UNTIL(errand_dispatch(e, "process-order", "{\"orderId\":7}", &o, &again, &err) ==
          ERRAND_INSERTED);
    assert_string_not_equal(again.text, first.text);
}

CASE_SHARED(case_16_fifty_at_once_from_five_processes_are_one_job)
{
    char line[256], name[16];
    pid_t pids[PUSHERS];

    snprintf(line, sizeof line,
             "sh -c 'for i in $(seq %d); do mine queue:dispatch process-order "
             "\"{\\\"orderId\\\":7}\" || exit 1; done'",
             EACH);
    for (int i = 0; i < PUSHERS; i++) {
        snprintf(name, sizeof name, "push%d", i);
        pids[i] = start(name, line);
    }
    for (int i = 0; i < PUSHERS; i++)
        assert_int_equal(ended(pids[i]), 0);
    assert_int_equal(count(-1, NULL), 1);
    assert_string_equal(
        sh("grep -oh '^[0-9a-f-]\\{36\\}' push?.out | sort -u | wc -l").out, "1\n");
    assert_string_equal(sh("grep -oh '^[0-9a-f-]\\{36\\}' push?.out | wc -l").out,
                        "50\n");
}

/* ------------------------------------------------------------------ case 17 */

/* Starts as the handlers saw them, in order of time. */
static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int starts_read(int64_t *ret, int most)
{
    int n = 0;

    for (const char *p = ledger_read(); *p && n < most; p += strcspn(p, "\n") + 1) {
        char *end;
        ret[n++] = strtoll(p, &end, 10);
        assert_memory_equal(end, " 1\n", 3); /* the attempt */
    }
    qsort(ret, (size_t)n, sizeof *ret, by_value);
    return n;
}

/* The store counts a start when it hands the job out, the handler a moment later: so
 * windows are shorter here by what that moment may be. */
CASE_SHARED(case_17_three_workers_never_begin_more_than_the_rate)
{
    enum { LATE_MS = 400 };
    int64_t starts[MANY], from = er_clock_mono_ms(NULL);
    struct errand_filter failed = {.states = 1u << ERRAND_FAILED};
    int64_t n;

    for (int i = 0; i < MANY; i++)
        push("notify", "{}", NULL);
    start("one", "mine queue:work --concurrency=2");
    start("two", "mine queue:work --concurrency=2");
    start("three", "mine queue:work --concurrency=2");
    UNTIL(count(ERRAND_COMPLETED, NULL) == MANY);
    assert_true(er_clock_mono_ms(NULL) - from >= 2 * WINDOW_MS);
    assert_int_equal(starts_read(starts, MANY), MANY);
    for (int i = RATE; i < MANY; i++)
        if (starts[i] - starts[i - RATE] < WINDOW_MS - LATE_MS)
            fail_msg("%d starts within %lld ms", RATE + 1,
                     (long long)(starts[i] - starts[i - RATE]));
    assert_int_equal(er_store_count(er_client_store(e), &failed, 0, &n, &err), 0);
    assert_int_equal(n, 0);
}

CASES_MAIN()
