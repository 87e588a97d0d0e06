/* failed.c: case 21, what an operator does with failed jobs. */
#include "cases/cases.h"

#include "errand/failed.h"

static int on_broken(errand_job *job, struct errand_error *error)
{
    (void)job;
    errand_error_set(error, ERRAND_EJOB, "mail server is away");
    return ERRAND_RETRY;
}
ERRAND_JOB(Broken, .handle = on_broken, .queue = "emails", .tries = 2,
           .backoff = ERRAND_BACKOFF(0.001))

static void three_failed(struct errand_id ids[3])
{
    for (int i = 0; i < 3; i++)
        ids[i] = push("broken", "{\"userId\":1}", NULL);
    work_attempts(6);
    assert_int_equal(count(ERRAND_FAILED, NULL), 3);
}

CASE(case_21_failed_jobs_are_listed_found_retried_and_removed)
{
    struct errand_failed_list *list = NULL;
    struct errand_job_detail *d = NULL;
    struct errand_id ids[3], unknown = {"unknown"};
    int64_t n = -1;

    three_failed(ids);
    assert_int_equal(errand_failed_list(e, NULL, NULL, 0, &list, &err), 0);
    assert_int_equal(list->jobs_n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_is(list->jobs[i].error, "mail server is away");
        assert_int_equal(list->jobs[i].attempts, 2);
        assert_is(list->jobs[i].data, "{\"userId\":1}");
    }
    errand_failed_list_free(list);
    assert_int_equal(errand_failed_find(e, &ids[0], &d, &err), 0);
    assert_int_equal(d->attempts_n, 2);
    errand_detail_free(d);

    assert_int_equal(errand_failed_retry(e, &ids[0], &err), 0);
    assert_int_equal(look(ids[0])->job.state, ERRAND_READY);
    assert_int_equal(look(ids[0])->job.attempts, 0);
    assert_string_equal(look(ids[0])->job.queue, "emails");
    assert_int_equal(errand_failed_count(e, NULL, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_int_equal(errand_failed_retry(e, &unknown, &err), ERRAND_ENOTFOUND);

    assert_int_equal(errand_failed_retry_all(e, NULL, &n, &err), 0);
    assert_int_equal(n, 2);
    work_attempts(6);
    assert_int_equal(count(ERRAND_FAILED, NULL), 3);
    assert_int_equal(errand_failed_delete(e, &ids[1], &err), 0);
    assert_int_equal(errand_failed_delete(e, &ids[1], &err), ERRAND_ENOTFOUND);
    assert_int_equal(errand_failed_flush(e, NULL, 0, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_int_equal(count(ERRAND_FAILED, NULL), 0);
}

CASE_SHARED(case_21_the_commands_do_the_same)
{
    const char *first;

    for (int i = 0; i < 3; i++)
        assert_code(sh("mine queue:dispatch broken '{}' >>ids"), 0);
    assert_code(sh("mine queue:work --max-jobs=6"), 0);
    assert_int_equal(lines_n(sh("mine queue:failed --json")), 3);
    first = word(sh("head -1 ids"));
    assert_has(sh("mine queue:inspect %s", first).out, "mail server is away");
    assert_code(sh("mine queue:retry %s", first), 0);
    assert_int_equal(lines_n(sh("mine queue:failed --json")), 2);
    assert_int_equal(lines_n(sh("mine queue:list --queue=emails --state=ready --json")),
                     1);
    assert_code(sh("mine queue:retry unknown"), 3);
    assert_has(sh("mine queue:retry --all --json").out, "{\"retried\":2}");
    assert_code(sh("mine queue:work --max-jobs=6"), 0);
    assert_code(sh("mine queue:forget %s", first), 0);
    assert_code(sh("mine queue:forget %s", first), 3);
    assert_code(sh("mine queue:flush"), 2);
    assert_int_equal(lines_n(sh("mine queue:failed --json")), 2);
    assert_has(sh("mine queue:flush --force --json").out, "{\"removed\":2}");
    assert_int_equal(lines_n(sh("mine queue:failed --json")), 0);
}

/* What fails again while all are being retried is not retried once more. */
CASE(retrying_all_ends_though_the_jobs_go_on_failing)
{
    errand_worker *worker = NULL;
    struct errand_worker_options options = {.concurrency = 2};
    const int n = 3000;
    int64_t retried = -1;

    for (int i = 0; i < n; i++)
        push("broken", "{}", &(struct errand_options){.tries = ERRAND_NO_RETRY});
    work_attempts(n);
    assert_int_equal(errand_worker_start(case_url, NULL, &options, &worker, &err), 0);
    assert_int_equal(errand_failed_retry_all(e, NULL, &retried, &err), 0);
    assert_int_equal(retried, n);
    UNTIL(count(ERRAND_FAILED, NULL) == n);
    errand_worker_free(worker);
    for (struct errand_id after = {{0}};;) {
        struct errand_failed_list *list;

        if (errand_failed_list(e, NULL, after.text[0] ? &after : NULL, 1000, &list,
                               &err) < 0)
            fail_msg("%s", err.message);
        for (size_t i = 0; i < list->jobs_n; i++)
            assert_int_equal(list->jobs[i].attempts, 1);
        if (list->jobs_n)
            after = list->jobs[list->jobs_n - 1].id;
        if (!list->more) {
            errand_failed_list_free(list);
            break;
        }
        errand_failed_list_free(list);
    }
}

CASES_MAIN()
