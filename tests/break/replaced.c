/* replaced.c: somebody empties or replaces the store while a worker works on it. */
#include <signal.h>

#include "break.h"
#include "support/fresh.h"

enum { JOBS = 20 };

static void wait_said(const struct world *w, const char *words)
{
    int64_t until = mono_ms() + PATIENCE_MS;

    while (!world_said(w, words) && mono_ms() < until)
        sleep_ms(20);
    if (!world_said(w, words))
        fail_msg("nobody said '%s'", words);
}

static void wait_running(const struct world *w)
{
    int64_t until = mono_ms() + PATIENCE_MS;

    while (!world_count(w, ERRAND_RUNNING) && mono_ms() < until)
        sleep_ms(10);
}

/* A job that runs meanwhile is nobody's in the new store, and harms nobody there. */
TEST(a_worker_goes_on_with_the_store_that_replaces_its_own)
{
    static const char *const work[] = {"queue:work", "--concurrency=2", NULL};
    static const char *const make[] = {"migrate", NULL};
    static const char *const health[] = {"queue:health", NULL};
    static const char *const jobs[] = {"queue:workers", "--json", NULL};
    char out[8192];
    struct world w;
    pid_t worker;

    world_make(&w, "a store that is replaced");
    push_jobs(&w, "work", "{\"ms\":3000}", 1);
    worker = world_start(&w, work);
    wait_running(&w);
    push_jobs(&w, "work", "{\"ms\":1}", 5);
    assert_true(fresh_remove_under(w.url));
    wait_said(&w, "errand migrate");
    assert_int_equal(world_run(&w, make, out, sizeof out), 0);
    push_jobs(&w, "work", "{\"ms\":1}", JOBS);
    assert_true(world_drained(&w, PATIENCE_MS));
    wait_said(&w, "the store is another one now");
    assert_int_equal(world_said(&w, "the store is another one now"), 1);
    assert_int_equal(world_count(&w, ERRAND_COMPLETED), JOBS);
    world_run(&w, health, out, sizeof out);
    assert_non_null(strstr(out, "found the store to be another one since"));
    assert_int_equal(world_run(&w, jobs, out, sizeof out), 0);
    assert_non_null(strstr(out, "\"pid\":"));
    kill(worker, SIGTERM);
    assert_int_equal(process_wait(worker, PATIENCE_MS), 0);
    assert_int_equal(world_count(&w, ERRAND_COMPLETED), JOBS);
    world_judge(&w);
    world_free(&w);
}

TEST_MAIN()
