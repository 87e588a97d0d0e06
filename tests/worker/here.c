/* here.c: handlers that run at once: in this process, and in a child that can be stopped.
 */
#include "support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "client/client.h"
#include "core/clock.h"
#include "errand.h"
#include "worker/here.h"
#include "worker/runner.h"

static errand *e;
static struct errand_error err;
static int timed_out_n, failed_n, around_n;

/* ------------------------------------------------------------------ the jobs */

static int on_act(errand_job *job, struct errand_error *error)
{
    const char *what = "";

    if (errand_job_string(job, "do", &what, error) < 0)
        return ERRAND_FAIL;
    if (strcmp(what, "result") == 0)
        return errand_job_result(job, "{\"sum\":3}", error) < 0 ? ERRAND_FAIL
                                                                : ERRAND_DONE;
    if (strcmp(what, "fail") == 0) {
        errand_error_set(error, 4711, "no user 7");
        return ERRAND_FAIL;
    }
    if (strcmp(what, "silent") == 0)
        return ERRAND_RETRY;
    if (strcmp(what, "snooze") == 0)
        return errand_job_snooze(job, 2, error) < 0 ? ERRAND_FAIL : ERRAND_SNOOZE;
    if (strcmp(what, "crash") == 0)
        raise(SIGKILL);
    if (strcmp(what, "say") == 0) {
        errand_job_log(job, "attempt %d of %d on %s", errand_job_attempt(job),
                       errand_job_tries(job), errand_job_queue(job));
        errand_job_progress(job, 40, "half", NULL);
    }
    return ERRAND_DONE;
}

static void on_failed(errand_job *job, const struct errand_error *error)
{
    (void)job;
    (void)error;
    failed_n++;
}

ERRAND_JOB(Act, .handle = on_act, .failed = on_failed, .queue = "acts")

/* Works until it is told to stop, or for ever when it is of the other kind. */
static int on_slow(errand_job *job, struct errand_error *error)
{
    bool deaf = false;

    errand_job_bool(job, "deaf", &deaf, error);
    while (deaf || !errand_job_stopping(job))
        usleep(1000);
    errand_job_result(job, "\"late\"", error);
    return ERRAND_DONE;
}

static void on_timed_out(errand_job *job)
{
    const char *path;

    timed_out_n++;
    if (errand_job_string(job, "file", &path, NULL) == 0)
        close(creat(path, 0600));
}

ERRAND_JOB(Slow, .handle = on_slow, .timed_out = on_timed_out, .timeout = 0.05)

static int around(errand_job *job, errand_next *next, void *config,
                  struct errand_error *error)
{
    (void)job;
    (void)config;
    around_n++;
    return errand_next_run(next, error);
}

ERRAND_JOB(Wrapped, .handle = on_act,
           .middleware = ERRAND_MIDDLEWARE(ERRAND_USE(around, NULL)))

static int on_nested(errand_job *job, struct errand_error *error)
{
    char *inner = NULL;
    int rc = errand_dispatch_sync(e, "act", "{\"do\":\"result\"}", NULL, &inner, error);

    if (rc < 0)
        return ERRAND_FAIL;
    errand_job_result(job, inner, error);
    free(inner);
    return strcmp(errand_job_queue(job), "nests") == 0 ? ERRAND_DONE : ERRAND_FAIL;
}

ERRAND_JOB(Nested, .handle = on_nested, .queue = "nests")

/* ------------------------------------------------------------------ helpers */

static int setup(void **state)
{
    (void)state;
    err = (struct errand_error){0};
    timed_out_n = failed_n = around_n = 0;
    return (e = errand_open("memory:", NULL, &err)) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    errand_close(e);
    e = NULL;
    return 0;
}

TEST_FIXTURE(setup, teardown)

static int sync_run(const char *name, const char *data,
                    const struct errand_options *options, char **ret)
{
    err = (struct errand_error){0};
    return errand_dispatch_sync(e, name, data, options, ret, &err);
}

static const struct errand_options apart = {.isolate = true};

static void assert_says(const char *part)
{
    if (!strstr(err.message, part))
        fail_msg("'%s' is not in '%s'", part, err.message);
}

static void assert_nothing_is_stored(void)
{
    struct errand_filter all = {0};
    int64_t n = -1;

    assert_int_equal(er_store_count(er_client_store(e), &all, 0, &n, &err), 0);
    assert_int_equal(n, 0);
}

/* ------------------------------------------------------------------ in this process */

TEST(a_handler_answers_with_its_result_and_nothing_is_stored)
{
    char *result = NULL;

    assert_int_equal(sync_run("act", "{\"do\":\"result\"}", NULL, &result), 0);
    assert_string_equal(result, "{\"sum\":3}");
    free(result);
    result = (char *)"before";
    assert_int_equal(sync_run("Act", "{\"do\":\"nothing\"}", NULL, &result), 0);
    assert_null(result);
    assert_int_equal(sync_run("Act", "{\"do\":\"result\"}", NULL, NULL), 0);
    assert_nothing_is_stored();
}

TEST(a_handler_that_fails_answers_with_its_own_error_and_without_a_failed_hook)
{
    assert_int_equal(sync_run("act", "{\"do\":\"fail\"}", NULL, NULL), ERRAND_EJOB);
    assert_string_equal(err.message, "no user 7");
    assert_int_equal(err.code, 4711);
    assert_int_equal(failed_n, 0);
    assert_int_equal(sync_run("act", "{\"do\":\"silent\"}", NULL, NULL), ERRAND_EJOB);
    assert_says("gave no reason");
    assert_int_equal(sync_run("act", "{\"do\":\"snooze\"}", NULL, NULL), ERRAND_EJOB);
    assert_says("later, in 2 s");
    assert_nothing_is_stored();
}

TEST(a_handler_runs_through_its_middleware)
{
    assert_int_equal(sync_run("wrapped", "{\"do\":\"nothing\"}", NULL, NULL), 0);
    assert_int_equal(around_n, 1);
}

TEST(a_handler_that_comes_back_late_has_timed_out_whatever_it_says)
{
    char *result = NULL;

    assert_int_equal(sync_run("slow", "{}", NULL, &result), ERRAND_ETIMEOUT);
    assert_says("timed out after 0.05 s");
    assert_null(result);
    assert_int_equal(timed_out_n, 1);
    assert_int_equal(
        sync_run("slow", "{}", &(struct errand_options){.timeout = 0.001}, NULL),
        ERRAND_ETIMEOUT);
    assert_says("0.001 s");
}

TEST(a_handler_may_run_another_one)
{
    char *result = NULL;

    if (sync_run("nested", "{}", NULL, &result) < 0)
        fail_msg("%s", err.message);
    assert_string_equal(result, "{\"sum\":3}");
    free(result);
}

TEST(what_cannot_run_is_refused)
{
    assert_int_equal(sync_run("unheard-of", "{}", NULL, NULL), ERRAND_ENOTFOUND);
    assert_says("no job 'unheard-of'");
    assert_int_equal(sync_run("no way", "{}", NULL, NULL), ERRAND_EINVAL);
    assert_int_equal(sync_run("act", "{", NULL, NULL), ERRAND_EJSON);
    assert_says("data of 'Act'");
    assert_int_equal(sync_run("act", "{}", &(struct errand_options){.delay_ms = 5}, NULL),
                     ERRAND_EINVAL);
    assert_says("delay_ms");
    assert_int_equal(sync_run("act", "{}", &(struct errand_options){.timeout = -1}, NULL),
                     ERRAND_EINVAL);
}

static void on_line(void *ctx, const char *line, size_t len)
{
    snprintf(ctx, 200, "%.*s", (int)len, line);
}

TEST(what_a_handler_logs_and_reports_can_be_kept)
{
    char line[200] = "";
    struct er_here run = {.job_class = &errand_class_Act,
                          .data = {"{\"do\":\"say\"} and more", 12},
                          .attempt = 2,
                          .tries = 5,
                          .log = on_line,
                          .ctx = line};
    struct er_here_answer answer;

    assert_int_equal(er_here_run(&run, &answer, &err), 0);
    assert_int_equal(answer.verdict, ERRAND_DONE);
    assert_string_equal(line, "attempt 2 of 5 on default");
    assert_int_equal(answer.percent, 40);
    assert_string_equal(answer.note, "half");
    er_here_done(&answer);
}

/* ------------------------------------------------------------------ in a child */

TEST(a_child_answers_with_its_result_or_its_error)
{
    char *result = NULL;

    if (sync_run("act", "{\"do\":\"result\"}", &apart, &result) < 0)
        fail_msg("%s", err.message);
    assert_string_equal(result, "{\"sum\":3}");
    free(result);
    assert_int_equal(sync_run("act", "{\"do\":\"fail\"}", &apart, NULL), ERRAND_EJOB);
    assert_string_equal(err.message, "no user 7");
    assert_int_equal(sync_run("act", "{\"do\":\"snooze\"}", &apart, NULL), ERRAND_EJOB);
    assert_says("later, in 2 s");
}

TEST(a_child_that_dies_is_an_error_and_no_more)
{
    assert_int_equal(sync_run("act", "{\"do\":\"crash\"}", &apart, NULL), ERRAND_EJOB);
    assert_says("killed by signal 9");
}

TEST(a_child_that_never_comes_back_is_ended_when_its_time_is_over)
{
    char data[160], path[] = "/tmp/errand-here-XXXXXX";

    close(mkstemp(path));
    unlink(path);
    snprintf(data, sizeof data, "{\"deaf\":true,\"file\":\"%s\"}", path);
    assert_int_equal(sync_run("slow", data, &apart, NULL), ERRAND_ETIMEOUT);
    assert_says("timed out after 0.05 s");
    assert_int_equal(timed_out_n, 0);  /* not here … */
    assert_int_equal(unlink(path), 0); /* … but in a child of its own */
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], ER_RUNNER_ARG) == 0)
        return er_runner_main(argc, argv);
    return er_test_main(argc, argv);
}
