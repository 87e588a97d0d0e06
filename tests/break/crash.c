/* crash.c: what a kill, a bad handler or a runner that cannot start may do: never lose a
 * job, never hurt another. */
#include <signal.h>

#include "break.h"
#include "errand.h"

static const char *const work_args[] = {"queue:work", "--concurrency=4", "--lease=10",
                                        "--grace=5", NULL};

static bool stopped_cleanly(pid_t pid)
{
    sleep_ms(300); /* until it hears signals: it may have been started a moment ago */
    kill(pid, SIGTERM);
    return process_wait(pid, PATIENCE_MS) == 0;
}

static void accept_all(struct world *w, long n)
{
    pid_t producer = world_produce(w, n, 50, "Work");

    assert_int_equal(process_wait(producer, 120000), 0);
}

/* T01. Duplicates come only from attempts that were in flight when something was killed.
 */
TEST(t01_no_job_is_lost_when_workers_and_runners_are_killed)
{
    const long kills = scaled(12, 200), jobs = scaled(3000, 20000);
    struct verdict v;
    struct world w;
    pid_t worker, victim, all[64];
    size_t n;

    world_make(&w, "t01");
    accept_all(&w, jobs);
    worker = world_start(&w, work_args);
    for (long i = 0; i < kills; i++) {
        sleep_ms(300 + (int64_t)world_random(&w, 700));
        if (!(n = world_processes(&w, all, 64)))
            continue;
        victim = all[world_random(&w, n)];
        kill(victim, SIGKILL);
        /* A loaded machine takes its time to bury it. */
        if (process_wait(worker, victim == worker ? 10000 : 0) != -1)
            worker = world_start(&w, work_args);
    }
    assert_true(world_drained(&w, PATIENCE_MS + jobs * 5));
    assert_true(stopped_cleanly(worker));
    v = world_judge(&w);
    assert_int_equal(v.accepted, jobs);
    assert_int_equal(v.completed, jobs);
    assert_true(v.twice <= (size_t)kills * 4 * 2);
    world_free(&w);
}

/* T02. What was answered exists; a batch is there whole or not at all. */
TEST(t02_an_accepted_job_survives_the_kill_of_its_producer)
{
    const long kills = scaled(8, 500);
    struct verdict v;
    struct world w;

    world_make(&w, "t02");
    er_store_close(world_store(&w));
    for (long i = 0; i < kills; i++) {
        pid_t one = world_produce(&w, 1000000, 1, "Noop"),
              many = world_produce(&w, 1000000, 50, "Noop");
        sleep_ms(20 + (int64_t)world_random(&w, 60));
        kill(one, SIGKILL);
        kill(many, SIGKILL);
        process_wait(one, 5000);
        process_wait(many, 5000);
    }
    {
        const char *const args[] = {"queue:work", "--stop-when-empty", "--concurrency=2",
                                    NULL};
        assert_int_equal(process_wait(world_start(&w, args), 600000), 0);
    }
    v = world_judge(&w);
    assert_true(v.accepted > 0);
    assert_true(v.extras <= (size_t)kills * 51);
    world_free(&w);
}

struct death {
    const char *how, *said; /* the cause must say so */
};

/* T07. Each poison ends FAILED after exactly its three attempts, with the true cause; the
 * supervisor stays the same process. */
TEST(t07_a_poison_job_fails_alone)
{
    static const struct death deaths[] = {
        {"abort", "SIGABRT"},    {"segv", "SIGSEGV"}, {"stack", "SIGSEGV"},
        {"exit", "exit"},        {"kill", "SIGKILL"}, {"memory", "SIGABRT"},
        {"flood", "still here"}, {"close", ""},
    };
    const size_t deaths_n = sizeof deaths / sizeof *deaths;
    struct errand_error err = {0};
    struct errand_id ids[8];
    struct world w;
    errand *e;
    pid_t worker;

    world_make(&w, "t07");
    assert_non_null(e = errand_open(w.url, NULL, &err));
    for (size_t i = 0; i < deaths_n; i++) {
        char data[64];
        snprintf(data, sizeof data, "{\"how\":\"%s\"}", deaths[i].how);
        assert_int_equal(errand_dispatch(e, "poison", data, NULL, &ids[i], &err), 0);
    }
    push_jobs(&w, "noop", "null", scaled(300, 1000));
    worker = world_start(&w, work_args);
    assert_true(world_drained(&w, 120000));
    assert_int_equal(process_wait(worker, 1), -1); /* it is still the first one */
    for (size_t i = 0; i < deaths_n; i++) {
        struct errand_job_detail *d;
        assert_int_equal(errand_get(e, &ids[i], &d, &err), 0);
        printf("  %s: %.*s\n", deaths[i].how, (int)d->job.error.len, d->job.error.ptr);
        assert_int_equal(d->job.state, ERRAND_FAILED);
        assert_int_equal(d->job.attempts, 3);
        assert_int_equal(d->attempts_n, 3);
        assert_non_null(memmem(d->job.error.ptr, d->job.error.len, deaths[i].said,
                               strlen(deaths[i].said)));
        for (size_t k = 0; k < d->attempts_n; k++)
            assert_true(d->attempts[k].log.len <= 1 << 20);
        errand_detail_free(d);
    }
    errand_close(e);
    assert_int_equal(world_count(&w, ERRAND_COMPLETED), scaled(300, 1000));
    assert_true(stopped_cleanly(worker));
    world_free(&w);
}

/* T12. Runners end with their supervisor and nobody else can settle for them; the jobs
 * run once more. */
TEST(t12_runners_die_with_their_supervisor)
{
    const char *const args[] = {"queue:work", "--concurrency=2", "--lease=2", NULL};
    pid_t worker, left[64];
    struct world w;
    int64_t until;

    world_make(&w, "t12");
    push_jobs(&w, "work", "{\"ms\":1500}", 2);
    worker = world_start(&w, args);
    for (until = mono_ms() + PATIENCE_MS;
         world_count(&w, ERRAND_RUNNING) < 2 && mono_ms() < until;)
        sleep_ms(20);
    sleep_ms(300);
    kill(worker, SIGKILL);
    process_wait(worker, 1000);
    for (until = mono_ms() + PATIENCE_MS;
         world_processes(&w, left, 64) && mono_ms() < until;)
        sleep_ms(20);
    assert_int_equal(world_processes(&w, left, 64), 0);
    worker = world_start(&w, args);
    assert_true(world_drained(&w, PATIENCE_MS));
    assert_int_equal(world_count(&w, ERRAND_COMPLETED), 2);
    assert_true(stopped_cleanly(worker));
    world_free(&w);
}

/* T22. A handler finds standard input, output, errors and the socket, and nothing else.
 */
TEST(t22_a_handler_sees_no_other_descriptor)
{
    const char *const args[] = {"queue:work", "--stop-when-empty", "--concurrency=2",
                                NULL};
    struct errand_job_detail *d;
    struct errand_error err = {0};
    struct errand_id id;
    struct world w;
    errand *e;

    world_make(&w, "t22");
    assert_non_null(e = errand_open(w.url, NULL, &err));
    assert_int_equal(errand_dispatch(e, "open-files", NULL, NULL, &id, &err), 0);
    assert_int_equal(process_wait(world_start(&w, args), PATIENCE_MS), 0);
    assert_int_equal(errand_get(e, &id, &d, &err), 0);
    assert_int_equal(d->job.state, ERRAND_COMPLETED);
    assert_int_equal(d->job.result.len, strlen("[0,1,2,3]"));
    assert_memory_equal(d->job.result.ptr, "[0,1,2,3]", d->job.result.len);
    errand_detail_free(d);
    errand_close(e);
    world_free(&w);
}

TEST_MAIN()
