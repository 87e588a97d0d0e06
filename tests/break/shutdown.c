/* shutdown.c: how a worker ends: on time, with nothing lost and nothing left reserved. */
#include <signal.h>

#include "break.h"

static bool running(const struct world *w, int64_t n)
{
    int64_t until = mono_ms() + PATIENCE_MS;

    while (world_count(w, ERRAND_RUNNING) < n && mono_ms() < until)
        sleep_ms(20);
    return world_count(w, ERRAND_RUNNING) >= n;
}

/* Lines in the ledger that begin with `what`. */
static long ledger_count(const struct world *w, const char *what)
{
    char *text, *at;
    long n = 0;

    file_read(w->ledger, &text);
    for (at = text; (at = strstr(at, what)); at++)
        n += at == text || at[-1] == '\n';
    free(text);
    return n;
}

static bool started(const struct world *w, long n)
{
    int64_t until = mono_ms() + PATIENCE_MS;

    while (ledger_count(w, "start ") < n && mono_ms() < until)
        sleep_ms(20);
    return ledger_count(w, "start ") >= n;
}

/* T13. */
TEST(t13_term_finishes_what_runs_and_claims_nothing_more)
{
    const char *const args[] = {"queue:work", "--concurrency=4", "--grace=20", NULL};
    struct world w;
    pid_t worker;

    world_make(&w, "t13");
    push_jobs(&w, "work", "{\"ms\":3000}", 4);
    push_jobs(&w, "work", "{\"ms\":1}", 100);
    worker = world_start(&w, args);
    assert_true(started(&w, 4));
    kill(worker, SIGTERM);
    assert_int_equal(process_wait(worker, PATIENCE_MS), 0);
    assert_int_equal(ledger_count(&w, "start "), 4);
    assert_int_equal(world_count(&w, ERRAND_COMPLETED), 4);
    assert_int_equal(world_count(&w, ERRAND_READY), 100);
    assert_int_equal(world_count(&w, ERRAND_RUNNING), 0);
    world_free(&w);
}

TEST(t13_what_outlives_the_grace_is_handed_back_without_an_attempt)
{
    const char *const args[] = {"queue:work", "--concurrency=1", "--grace=1", NULL};
    struct errand_error err = {0};
    struct errand_job_detail *d;
    struct errand_id id;
    struct world w;
    pid_t worker;
    errand *e;

    world_make(&w, "t13-grace");
    assert_non_null(e = errand_open(w.url, NULL, &err));
    assert_int_equal(errand_dispatch(e, "work", "{\"ms\":600000}", NULL, &id, &err), 0);
    worker = world_start(&w, args);
    assert_true(started(&w, 1));
    kill(worker, SIGTERM);
    assert_int_equal(process_wait(worker, PATIENCE_MS), 0);
    /* Not when its job had ended: that one would be completed then. */
    assert_int_equal(errand_get(e, &id, &d, &err), 0);
    assert_int_equal(d->job.state, ERRAND_READY);
    assert_int_equal(d->job.attempts, 0);
    errand_detail_free(d);
    errand_close(e);
    world_free(&w);
}

/* T15. */
TEST(t15_a_second_term_waits_for_nothing)
{
    const char *const args[] = {"queue:work", "--concurrency=2", "--grace=1200", NULL};
    struct world w;
    pid_t worker;

    world_make(&w, "t15");
    push_jobs(&w, "work", "{\"ms\":600000}", 2);
    worker = world_start(&w, args);
    assert_true(started(&w, 2));
    kill(worker, SIGTERM);
    sleep_ms(300);
    assert_int_equal(process_wait(worker, 1), -1);
    kill(worker, SIGTERM);
    assert_true(process_wait(worker, PATIENCE_MS) >= 0);
    /* Neither the grace nor the jobs were waited for: they would be completed. */
    assert_int_equal(world_count(&w, ERRAND_READY), 2);
    world_free(&w);
}

TEST(t15_term_during_start_up_ends_cleanly)
{
    const char *const args[] = {"queue:work", "--concurrency=2", NULL};
    struct world w;

    world_make(&w, "t15-start");
    push_jobs(&w, "work", "{\"ms\":5}", 50);
    for (int i = 0; i < (int)scaled(6, 60); i++) {
        pid_t worker = world_start(&w, args);
        sleep_ms((int64_t)world_random(&w, 60));
        kill(worker, SIGTERM);
        /* Before the handler is set the signal's own meaning holds: also an end. */
        int code = process_wait(worker, PATIENCE_MS);
        assert_true(code == 0 || code == 128 + SIGTERM);
    }
    assert_int_equal(world_count(&w, ERRAND_READY) + world_count(&w, ERRAND_COMPLETED) +
                         world_count(&w, ERRAND_RUNNING),
                     50);
    world_free(&w);
}

TEST(t15_signals_that_mean_nothing_change_nothing)
{
    const char *const args[] = {"queue:work", "--concurrency=4", NULL};
    const int signals[] = {SIGUSR1, SIGWINCH, SIGCHLD, SIGHUP};
    struct world w;
    int64_t until;
    pid_t worker;

    world_make(&w, "t15-storm");
    push_jobs(&w, "work", "{\"ms\":10}", scaled(200, 5000));
    worker = world_start(&w, args);
    assert_true(running(&w, 1) || started(&w, 1));
    for (until = mono_ms() + scaled(2000, 30000); mono_ms() < until;) {
        /* HUP reloads: now and then, not two thousand times a second. */
        kill(worker, signals[world_random(&w, 1000) ? world_random(&w, 3) : 3]);
        usleep(500);
    }
    assert_true(world_drained(&w, PATIENCE_MS));
    assert_int_equal(process_wait(worker, 1), -1);
    kill(worker, SIGTERM);
    assert_int_equal(process_wait(worker, PATIENCE_MS), 0);
    assert_int_equal(ledger_count(&w, "done "), scaled(200, 5000));
    world_free(&w);
}

TEST(t15_term_to_a_runner_alone_costs_one_attempt)
{
    const char *const args[] = {"queue:work", "--concurrency=1", NULL};
    struct errand_error err = {0};
    struct errand_job_detail *d;
    struct errand_id id;
    pid_t worker, all[16];
    struct world w;
    errand *e;
    size_t n;

    world_make(&w, "t15-runner");
    assert_non_null(e = errand_open(w.url, NULL, &err));
    assert_int_equal(errand_dispatch(e, "work", "{\"ms\":1000}", NULL, &id, &err), 0);
    worker = world_start(&w, args);
    assert_true(started(&w, 1));
    n = world_processes(&w, all, 16);
    for (size_t i = 0; i < n; i++)
        if (all[i] != worker)
            kill(all[i], SIGTERM);
    assert_true(world_drained(&w, PATIENCE_MS));
    assert_int_equal(errand_get(e, &id, &d, &err), 0);
    assert_int_equal(d->job.state, ERRAND_COMPLETED);
    assert_int_equal(d->job.attempts, 2);
    errand_detail_free(d);
    errand_close(e);
    kill(worker, SIGTERM);
    assert_int_equal(process_wait(worker, PATIENCE_MS), 0);
    world_free(&w);
}

/* T15. Every third call of the loop is interrupted; only the supervisor is traced. The
 * start is not: a dynamic loader does not know EINTR. */
TEST(t15_interrupted_calls_are_made_again)
{
    const char *const work[] = {"queue:work", "--concurrency=2", NULL};
    char number[16], trace[300], *text;
    pid_t worker, strace;
    struct world w;
    size_t injected = 0;

    if (access("/usr/bin/strace", X_OK) < 0)
        skip();
    world_make(&w, "t15-eintr");
    worker = world_start(&w, work);
    push_jobs(&w, "noop", "null", 1);
    assert_true(world_drained(&w, PATIENCE_MS));
    snprintf(number, sizeof number, "%ld", (long)worker);
    snprintf(trace, sizeof trace, "%s/trace", w.dir);
    if ((strace = fork()) == 0) {
        execl("/usr/bin/strace", "strace", "-qq", "-o", trace, "-e",
              "inject=epoll_wait,epoll_pwait,read,write,wait4:error=EINTR:when=2+3", "-p",
              number, (char *)NULL);
        _exit(127);
    }
    sleep_ms(300);
    push_jobs(&w, "noop", "null", 500);
    assert_true(world_drained(&w, PATIENCE_MS));
    kill(worker, SIGTERM);
    assert_int_equal(process_wait(worker, PATIENCE_MS), 0);
    process_wait(strace, 5000);
    file_read(trace, &text);
    for (char *at = text; (at = strstr(at, "(INJECTED)")); at++)
        injected++;
    printf("  %zu calls interrupted\n", injected);
    free(text);
    world_judge(&w);
    world_free(&w);
    if (!injected)
        skip(); /* tracing is not allowed here */
}

TEST_MAIN()
