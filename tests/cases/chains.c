/* chains.c: cases 8 and 9, jobs one after the other. */
#include "cases.h"

/* ------------------------------------------------------------------ job classes */

/* Says when it begins and ends, so that two at a time would show. */
static int on_link(errand_job *job, struct errand_error *error)
{
    long long n;

    if (errand_job_int(job, "n", &n, error) < 0)
        return ERRAND_FAIL;
    ledger("begin %lld", n);
    usleep(5000);
    ledger("end %lld", n);
    return ERRAND_DONE;
}
ERRAND_JOB(Link, .handle = on_link)

static int on_broken(errand_job *job, struct errand_error *error)
{
    ledger("broken, attempt %d", errand_job_attempt(job));
    errand_error_set(error, 1, "out of paper");
    return ERRAND_RETRY;
}

static void on_failed(errand_job *job, const struct errand_error *error)
{
    ledger("failed hook of %s: %s", errand_job_name(job), error->message);
}
ERRAND_JOB(Broken, .handle = on_broken, .failed = on_failed, .tries = 2,
           .backoff = ERRAND_BACKOFF(0.01))

/* The worker of the first one dies as soon as its work is done. */
static int on_deadly(errand_job *job, struct errand_error *error)
{
    ledger("link 1");
    (void)job;
    (void)error;
    kill(getppid(), SIGKILL);
    usleep(10000000); /* the kernel ends us with it */
    return ERRAND_DONE;
}
ERRAND_JOB(Deadly, .handle = on_deadly)

/* ------------------------------------------------------------------ 8 */

enum { LINKS = 4 };

static struct errand_id chain(const char *second)
{
    static const char *const data[LINKS] = {"{\"n\":1}", "{\"n\":2}", "{\"n\":3}",
                                            "{\"n\":4}"};
    const struct errand_batch_options o = {.id = {"chain"}};
    struct errand_dispatch_item links[LINKS];
    struct errand_id id;

    for (int i = 0; i < LINKS; i++)
        links[i] = (struct errand_dispatch_item){"link", errand_text(data[i]), NULL};
    links[1].name = second;
    if (errand_chain(e, links, LINKS, &o, &id, &err) != LINKS)
        fail_msg("%s", err.message);
    return id;
}

static const char in_order[] = "begin 1\nend 1\nbegin 2\nend 2\nbegin 3\nend 3\n"
                               "begin 4\nend 4\n";

CASE(case_08_links_run_one_at_a_time_in_order)
{
    chain("link");
    assert_int_equal(count(ERRAND_READY, NULL), 1);
    assert_int_equal(count(ERRAND_HELD, NULL), LINKS - 1);
    work((struct errand_worker_options){.max_jobs = LINKS, .concurrency = 4});
    assert_ledger(in_order);
}

CASE_SHARED(case_08_two_workers_keep_the_order)
{
    pid_t one = start("one", "mine queue:work --concurrency=2"),
          two = start("two", "mine queue:work --concurrency=2");

    chain("link");
    until_state((struct errand_id){"chain/4"}, ERRAND_COMPLETED);
    assert_ledger(in_order);
    kill(one, SIGTERM);
    kill(two, SIGTERM);
    assert_int_equal(ended(one), 0);
    assert_int_equal(ended(two), 0);
}

CASE(case_08_a_link_that_fails_ends_the_chain)
{
    chain("broken");
    work((struct errand_worker_options){.max_jobs = 3});
    work_all(); /* the hook is no attempt */
    assert_ledger("begin 1\nend 1\nbroken, attempt 1\nbroken, attempt 2\n"
                  "failed hook of broken: out of paper\n");
    assert_state((struct errand_id){"chain/2"}, ERRAND_FAILED);
    assert_state((struct errand_id){"chain/3"}, ERRAND_CANCELLED);
    assert_state((struct errand_id){"chain/4"}, ERRAND_CANCELLED);
}

CASE_SHARED(case_08_the_command_runs_a_chain)
{
    assert_code(sh("echo '[{\"job\":\"link\",\"data\":{\"n\":1}},"
                   "{\"job\":\"link\",\"data\":{\"n\":2}},"
                   "{\"job\":\"link\",\"data\":{\"n\":3}},"
                   "{\"job\":\"link\",\"data\":{\"n\":4}}]' | mine queue:chain -"),
                0);
    assert_code(sh("mine queue:work --concurrency=4 --max-jobs=4"), 0);
    assert_ledger(in_order);
}

/* ------------------------------------------------------------------ 9 */

static void killed_at(size_t n, const char *failpoint)
{
    const char *ran;
    char line[200];
    pid_t second;

    sh(": >ledger");
    assert_code(
        sh("echo '[{\"job\":\"link\",\"data\":{\"n\":1}},"
           "{\"job\":\"link\",\"data\":{\"n\":2}}]' | mine queue:chain - --id=c%zu",
           n),
        0);
    snprintf(line, sizeof line, "env ERRAND_FAILPOINTS=%s mine queue:work --lease=1",
             failpoint);
    assert_int_equal(ended(start("first", line)), 137);
    second = start("second", "mine queue:work --lease=1 --max-time=20");
    assert_code(
        sh("i=0; until [ $(mine queue:list --batch=c%zu --state=completed --json | "
           "wc -l) = 2 ]; do sleep 0.1; i=$((i+1)); [ $i -lt 150 ] || exit 1; done",
           n),
        0);
    kill(second, SIGTERM);
    assert_int_equal(ended(second), 0);
    /* Not skipped, and no attempt more than the one that was killed. */
    assert_in_range(ledger_count("end 1"), 1, 2);
    assert_in_range(ledger_count("end 2"), 1, 2);
    assert_in_range(ledger_count("end 1") + ledger_count("end 2"), 2, 3);
    ran = ledger_read();
    assert_true(strstr(ran, "end 1") < strstr(ran, "begin 2"));
}

/* Each point that a worker passes between the end of a handler and the next link. */
CASE_SHARED(case_09_a_kill_at_any_point_skips_no_link)
{
#ifdef ERRAND_FAILPOINTS
    static const char *const points[] = {"after-result=exit",
                                         "exchange-before-commit=exit@2",
                                         "exchange-after-commit=exit@2",
                                         "after-settle=exit",
                                         "after-reserve=exit",
                                         "after-reserve=exit@2"};

    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        killed_at(i, points[i]);
#else
    (void)killed_at;
    skip();
#endif
}

CASE_SHARED(case_09_a_worker_killed_behind_the_first_link_loses_nothing)
{
    assert_code(sh("echo '[{\"job\":\"deadly\",\"timeout\":20},"
                   "{\"job\":\"link\",\"data\":{\"n\":2}}]' | mine queue:chain - --id=c"),
                0);
    assert_int_equal(ended(start("first", "mine queue:work --lease=1")), 137);
    /* Its second attempt is another program. */
    sh("printf '#!/bin/sh\\necho link 1 >>ledger\\n' >app/Jobs/deadly.sh; "
       "chmod +x app/Jobs/deadly.sh");
    assert_code(sh("errand queue:work --lease=1 --max-time=20 --max-jobs=1"), 0);
    assert_code(sh("mine queue:work --lease=1 --max-time=20 --max-jobs=1"), 0);
    assert_int_equal(ledger_count("link 1"), 2);
    assert_int_equal(ledger_count("end 2"), 1);
}

CASES_MAIN()
