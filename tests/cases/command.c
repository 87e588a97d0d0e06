/* command.c: cases 18 and 19, queue:work and its limits. */
#include "cases/cases.h"

static int on_note(errand_job *job, struct errand_error *error)
{
    (void)error;
    ledger("%s", errand_job_queue(job));
    return ERRAND_DONE;
}
ERRAND_JOB(Note, .handle = on_note)

/* n jobs on a queue, by the command. */
static void dispatch(const char *queue, int n)
{
    assert_code(sh("i=0; while [ $i -lt %d ]; do echo '{}'; i=$((i+1)); done "
                   "| mine queue:dispatch note --queue=%s --file=-",
                   n, queue),
                0);
}

static int64_t ready_n(const char *queue)
{
    return (int64_t)lines_n(
        sh("mine queue:list --state=ready --queue=%s --limit=0 --json", queue));
}

CASE_SHARED(case_18_the_queue_on_the_left_goes_first)
{
    dispatch("low", 5);
    dispatch("default", 5);
    dispatch("high", 5);
    assert_code(sh("mine queue:work --queue=high,default,low --concurrency=1 "
                   "--stop-when-empty"),
                0);
    assert_ledger("high\nhigh\nhigh\nhigh\nhigh\n"
                  "default\ndefault\ndefault\ndefault\ndefault\n"
                  "low\nlow\nlow\nlow\nlow\n");
}

CASE_SHARED(case_18_other_queues_are_never_touched)
{
    dispatch("low", 3);
    dispatch("emails", 2);
    assert_code(sh("mine queue:work --queue=emails --max-time=2 --sleep=0.1"), 0);
    assert_ledger("emails\nemails\n");
    assert_int_equal(ready_n("low"), 3);
}

CASE_SHARED(case_19_max_jobs_is_exact)
{
    dispatch("default", 150);
    assert_code(sh("mine queue:work --max-jobs=100"), 0);
    assert_int_equal(ledger_count("default"), 100);
    assert_int_equal(ready_n("default"), 50);
}

CASE_SHARED(case_19_delayed_jobs_do_not_keep_a_worker_that_stops_when_empty)
{
    assert_code(sh("mine queue:dispatch note '{}' --delay=1h"), 0);
    assert_code(sh("mine queue:work --stop-when-empty"), 0);
    assert_ledger("");
    assert_int_equal(lines_n(sh("mine queue:list --state=scheduled --json")), 1);
}

CASES_MAIN()
