/* failures.c: many jobs that fail at the same time, and then are all retried at the same
 * time. */
#include <signal.h>
#include <stdlib.h>

#include "break.h"
#include "errand/failed.h"

enum { WAIT_MS = 60000, JITTER_MS = 12000, PAGE = 1000 };

static void work(struct world *w, long n)
{
    char most[32];
    const char *const args[] = {"queue:work", "--concurrency=2", most, "--quiet", NULL};

    snprintf(most, sizeof most, "--max-jobs=%ld", n);
    assert_int_equal(process_wait(world_start(w, args), 120000), 0);
}

/* All jobs of a state, page by page. */
static void each(struct er_store *store, enum errand_state state,
                 void (*look)(const struct errand_job_info *job, void *ctx), void *ctx)
{
    struct errand_list_params p = {.filter = {.states = 1u << state}, .max = PAGE};
    struct errand_list_result page = {.more = true};
    struct errand_arena *arena = er_arena_new();
    struct errand_error err = {0};

    while (page.more) {
        er_arena_reset(arena);
        page = (struct errand_list_result){0};
        if (er_store_list(store, &p, arena, &page, &err) < 0)
            fail_msg("%s", err.message);
        for (size_t i = 0; i < page.jobs_n; i++)
            look(&page.jobs[i], ctx);
        if (page.jobs_n)
            p.after = page.jobs[page.jobs_n - 1].id;
    }
    er_arena_free(arena);
}

/* ------------------------------------------------------------------ the wave of retries
 */

struct wave {
    struct er_store *store;
    struct errand_arena *arena;
    int64_t first_ms, last_ms;               /* when attempts ended */
    long n, in_second[JITTER_MS / 1000 + 1]; /* after the wait of each, by its jitter */
};

static void wave_look(const struct errand_job_info *job, void *ctx)
{
    struct wave *w = ctx;
    struct errand_job_detail d = {0};
    struct errand_error err = {0};
    int64_t ended_ms, wait_ms;

    er_arena_reset(w->arena);
    if (er_store_get(w->store, &job->id, 0, w->arena, &d, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(d.attempts_n, 1);
    ended_ms = d.attempts[0].ended_ms;
    wait_ms = d.job.run_at_ms - ended_ms;
    assert_true(wait_ms >= WAIT_MS && wait_ms <= WAIT_MS + JITTER_MS);
    w->in_second[(wait_ms - WAIT_MS) / 1000]++;
    w->n++;
    w->first_ms = !w->first_ms || ended_ms < w->first_ms ? ended_ms : w->first_ms;
    w->last_ms = ended_ms > w->last_ms ? ended_ms : w->last_ms;
}

static size_t reserved_at(struct wave *w, int64_t now_ms, size_t max)
{
    struct errand_exchange_params p = {
        .now_ms = now_ms, .max = max, .lease_ms = 3600000, .worker = "clock"};
    struct errand_exchange_result got = {0};
    struct errand_error err = {0};

    er_arena_reset(w->arena);
    if (er_store_exchange(w->store, &p, w->arena, &got, &err) < 0)
        fail_msg("%s", err.message);
    return got.jobs_n;
}

/* T43, first half. Time is passed to the store, so that nobody waits a minute. */
TEST(t43_jobs_that_failed_together_come_back_spread_out_and_not_too_early)
{
    struct wave wave = {0};
    struct world w;
    size_t got, all = 0;

    world_make(&w, "t43");
    push_jobs(&w, "refuse", "{}", 5000);
    work(&w, 5000);
    wave.store = world_store(&w);
    wave.arena = er_arena_new();
    each(wave.store, ERRAND_SCHEDULED, wave_look, &wave);
    assert_int_equal(wave.n, 5000);
    printf("  all failed within %lld ms\n", (long long)(wave.last_ms - wave.first_ms));
    for (size_t i = 0; i < sizeof wave.in_second / sizeof *wave.in_second; i++)
        assert_true(wave.in_second[i] <= 5000 * 12 / 100);
    assert_int_equal(reserved_at(&wave, wave.first_ms + WAIT_MS - 1, 100), 0);
    while ((got = reserved_at(&wave, wave.last_ms + WAIT_MS + JITTER_MS, 400)))
        all += got;
    assert_int_equal(all, 5000);
    er_arena_free(wave.arena);
    er_store_close(wave.store);
    world_free(&w);
}

/* ------------------------------------------------------------------ retrying all */

static void attempts_look(const struct errand_job_info *job, void *ctx)
{
    long *n = ctx;

    if (job->attempts != 1)
        fail_msg("%s has %d attempts", job->id.text, job->attempts);
    ++*n;
}

static void history_look(const struct errand_job_info *job, void *ctx)
{
    struct wave *w = ctx;
    struct errand_job_detail d = {0};
    struct errand_error err = {0};

    er_arena_reset(w->arena);
    if (er_store_get(w->store, &job->id, 0, w->arena, &d, &err) < 0)
        fail_msg("%s", err.message);
    if (d.attempts_n != 2)
        fail_msg("%s was tried %zu times, not twice", job->id.text, d.attempts_n);
    w->n++;
}

static void push_failing(const struct world *w, long n)
{
    struct errand_options once = {.tries = ERRAND_NO_RETRY};
    struct errand_dispatch_item item = {.name = "refuse", .options = &once}, items[100];
    struct errand_error err = {0};
    errand *e = errand_open(w->url, NULL, &err);

    assert_non_null(e);
    for (size_t i = 0; i < 100; i++)
        items[i] = item;
    for (long i = 0; i < n; i += 100)
        assert_int_equal(errand_dispatch_bulk(e, items, 100, NULL, &err), 100);
    errand_close(e);
}

/* T43, second half: a worker fails them again as fast as they are retried. */
TEST(t43_retrying_all_ends_and_retries_each_once_though_they_go_on_failing)
{
    const char *const args[] = {"queue:work", "--concurrency=2", "--quiet", NULL};
    const long n = 10000;
    struct wave wave = {0};
    struct world w;
    char out[256];
    pid_t worker;
    long failed = 0;
    int64_t until;

    world_make(&w, "t43-retry");
    push_failing(&w, n);
    work(&w, n);
    wave.store = world_store(&w);
    wave.arena = er_arena_new();
    each(wave.store, ERRAND_FAILED, attempts_look, &failed);
    assert_int_equal(failed, n);
    worker = world_start(&w, args);
    assert_int_equal(world_run(&w,
                               (const char *[]){"queue:retry", "--all", "--json", NULL},
                               out, sizeof out),
                     0);
    assert_non_null(strstr(out, "{\"retried\":10000}"));
    for (until = mono_ms() + PATIENCE_MS;
         world_count(&w, ERRAND_FAILED) < n && mono_ms() < until;)
        sleep_ms(20);
    kill(worker, SIGTERM);
    assert_int_equal(process_wait(worker, PATIENCE_MS), 0);
    each(wave.store, ERRAND_FAILED, history_look, &wave);
    assert_int_equal(wave.n, n);
    er_arena_free(wave.arena);
    er_store_close(wave.store);
    world_free(&w);
}

TEST_MAIN()
