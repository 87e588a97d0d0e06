/* limits.c: keys and limits while workers die: never more than the cap, and nobody waits
 * for the dead. */
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "break.h"

#include "base/arena.h"

enum { VISITS_MAX = 20000, LATE_MS = 400 };

/* A job inside, as its handler told it. */
struct visit {
    char key[16], id[64];
    int attempt;
    long long in_ms, out_ms; /* out 0: it never came to tell */
};

static size_t visits_read(const struct world *w, struct visit *ret)
{
    char *text, *line, *end;
    size_t n = 0;

    file_read(w->ledger, &text);
    for (line = text; (end = strchr(line, '\n')); line = end + 1) {
        struct visit v = {0};
        char what[8];
        int pid;

        if (sscanf(line, "%7s %15s %63s %d %d %lld", what, v.key, v.id, &v.attempt, &pid,
                   &v.in_ms) != 6)
            continue;
        if (strcmp(what, "in") == 0 && n < VISITS_MAX) {
            ret[n++] = v;
        } else if (strcmp(what, "out") == 0) {
            for (size_t i = n; i-- > 0;)
                if (ret[i].attempt == v.attempt && strcmp(ret[i].id, v.id) == 0) {
                    ret[i].out_ms = v.in_ms;
                    break;
                }
        }
    }
    free(text);
    return n;
}

/* Of those that came to their end: who was killed was not inside any more when the next
 * one was let in. */
static void assert_never_over(const struct visit *visits, size_t n, const char *key,
                              int cap)
{
    for (size_t i = 0; i < n; i++) {
        int inside = 0;

        if (strcmp(visits[i].key, key) != 0 || !visits[i].out_ms)
            continue;
        for (size_t j = 0; j < n; j++)
            inside += visits[j].out_ms && strcmp(visits[j].key, key) == 0 &&
                      visits[j].in_ms <= visits[i].in_ms &&
                      visits[j].out_ms > visits[i].in_ms;
        if (inside > cap)
            fail_msg("%d of key %s were inside at once", inside, key);
    }
}

static void accept(struct world *w, errand *e, const char *name, const char *key, int ms,
                   const struct errand_options *options)
{
    struct errand_error err = {0};
    struct errand_id id;
    char data[64];
    FILE *file;

    snprintf(data, sizeof data, "{\"key\":\"%s\",\"ms\":%d}", key, ms);
    if (errand_dispatch(e, name, data, options, &id, &err) < 0)
        fail_msg("%s", err.message);
    assert_non_null(file = fopen(w->accepted, "ae"));
    fprintf(file, "%s\n", id.text);
    fclose(file);
}

static errand *world_open(const struct world *w)
{
    struct errand_error err = {0};
    errand *e = errand_open(w->url, NULL, &err);

    if (!e)
        fail_msg("%s", err.message);
    return e;
}

static void stop(pid_t pid)
{
    sleep_ms(300); /* until it hears signals */
    kill(pid, SIGTERM);
    assert_int_equal(process_wait(pid, PATIENCE_MS), 0);
}

static void kill_somebody(struct world *w, pid_t workers[2], const char *const *args)
{
    pid_t all[64], victim;
    size_t n = world_processes(w, all, 64);

    if (!n)
        return;
    victim = all[world_random(w, n)];
    kill(victim, world_random(w, 4) ? SIGKILL : SIGTERM);
    for (int i = 0; i < 2; i++)
        if (victim == workers[i]) {
            process_wait(victim, PATIENCE_MS);
            workers[i] = world_start(w, args);
        }
}

/* ------------------------------------------------------------------ T39 */

TEST(t39_kills_never_let_more_in_than_the_limit_and_never_block_a_key)
{
    const char *const args[] = {"queue:work", "--concurrency=4", "--lease=1", "--grace=2",
                                NULL};
    const long jobs = scaled(400, 5000), kills = scaled(8, 100);
    static struct visit visits[VISITS_MAX];
    pid_t workers[2];
    struct verdict v;
    struct world w;
    errand *e;
    size_t n;

    world_make(&w, "t39");
    e = world_open(&w);
    for (long i = 0; i < jobs; i++) {
        char key[8];
        struct errand_options o = {
            .concurrency = {.max = i % 10 < 5 ? 1 : 3, .key = key}};
        snprintf(key, sizeof key, "k%ld", i % 10);
        accept(&w, e, "Keyed", key, (int)(i * 8 % 21), &o);
    }
    errand_close(e);
    for (int i = 0; i < 2; i++)
        workers[i] = world_start(&w, args);
    for (long i = 0; i < kills; i++) {
        sleep_ms(300 + (int64_t)world_random(&w, 700));
        kill_somebody(&w, workers, args);
    }
    assert_true(world_drained(&w, PATIENCE_MS + jobs * 10));
    stop(workers[0]);
    stop(workers[1]);
    v = world_judge(&w);
    assert_int_equal(v.completed, jobs);
    n = visits_read(&w, visits);
    for (int k = 0; k < 10; k++) {
        char key[8];
        snprintf(key, sizeof key, "k%d", k);
        assert_never_over(visits, n, key, k < 5 ? 1 : 3);
    }
    world_free(&w);
}

/* ------------------------------------------------------------------ T40 */

static int by_in(const void *a, const void *b)
{
    const struct visit *x = a, *y = b;

    return (x->in_ms > y->in_ms) - (x->in_ms < y->in_ms);
}

/* The store counts a start when it hands the job out; the handler tells a moment later,
 * so windows are shorter here by what that moment may be. */
static void assert_rate(struct visit *visits, size_t n, const char *key, size_t cap,
                        int64_t window_ms)
{
    struct visit *of = calloc(n, sizeof *of);
    size_t m = 0;

    for (size_t i = 0; i < n; i++)
        if (strcmp(visits[i].key, key) == 0)
            of[m++] = visits[i];
    qsort(of, m, sizeof *of, by_in);
    for (size_t i = cap; i < m; i++)
        if (of[i].in_ms - of[i - cap].in_ms < window_ms - LATE_MS)
            fail_msg("%zu starts of %s within %lld ms", cap + 1, key,
                     of[i].in_ms - of[i - cap].in_ms);
    /* Ids grow: who came a whole window later is never let in before. */
    for (size_t i = 0; i < m; i++)
        for (size_t j = i + cap; j < m; j++)
            assert_true(strcmp(of[i].id, of[j].id) < 0);
    free(of);
}

static double cpu_of_children(void)
{
    struct rusage u;

    getrusage(RUSAGE_CHILDREN, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void rate_run(int keys, long jobs, int cap, int64_t window_ms)
{
    const char *const args[] = {"queue:work", "--concurrency=2", NULL};
    int64_t from = mono_ms(), least = (jobs - 1) / cap * window_ms;
    double cpu = cpu_of_children();
    static struct visit visits[VISITS_MAX];
    pid_t workers[3];
    struct world w;
    char key[8];
    errand *e;
    size_t n;

    world_make(&w, "t40");
    e = world_open(&w);
    for (int i = 0; i < 3; i++)
        workers[i] = world_start(&w, args);
    for (long i = 0; i < jobs * keys; i++) {
        struct errand_options o = {
            .rate = {.max = cap, .per = (double)window_ms / 1000, .key = key}};
        snprintf(key, sizeof key, "k%ld", i % keys);
        if (i == jobs * keys / 2) /* a burst just before a window ends */
            sleep_ms(window_ms - 10);
        accept(&w, e, "Keyed", key, 0, &o);
    }
    errand_close(e);
    assert_true(world_drained(&w, least + PATIENCE_MS));
    assert_true(mono_ms() - from >= least);
    for (int i = 0; i < 3; i++)
        stop(workers[i]);
    cpu = (cpu_of_children() - cpu) / ((double)(mono_ms() - from) / 1000);
    printf("  %d keys: %.1f %% of a core\n", keys, cpu * 100);
    if (is_long())
        assert_true(cpu < 0.05);
    assert_int_equal(world_judge(&w).completed, jobs * keys);
    n = visits_read(&w, visits);
    assert_int_equal(n, jobs * keys);
    for (int k = 0; k < keys; k++) {
        snprintf(key, sizeof key, "k%d", k);
        assert_rate(visits, n, key, (size_t)cap, window_ms);
    }
    world_free(&w);
}

TEST(t40_a_rate_is_never_over_in_any_window_and_in_order)
{
    rate_run(1, scaled(50, 250), (int)scaled(20, 100), scaled(1500, 60000));
}

TEST(t40_ten_keys_have_their_rates_each)
{
    rate_run(10, scaled(12, 25), (int)scaled(5, 10), scaled(1500, 10000));
}

/* ------------------------------------------------------------------ every point */

/* A push that dies before or after its commit: said again, there is one job, and its end
 * frees the key. */
TEST(a_unique_dispatch_that_dies_leaves_no_key_behind)
{
#ifdef ERRAND_FAILPOINTS
    static const char *const points[] = {"push-before-commit=exit",
                                         "push-after-commit=exit"};
    const char *const push[] = {"queue:dispatch", "Noop", "--unique=order:7", NULL};
    const char *const work[] = {"queue:work", "--stop-when-empty", "--concurrency=1",
                                NULL};

    for (size_t i = 0; i < 2; i++) {
        char out[4096];
        struct world w;

        world_make(&w, "unique");
        setenv("ERRAND_FAILPOINTS", points[i], 1);
        assert_int_equal(world_run(&w, push, out, sizeof out), 137);
        unsetenv("ERRAND_FAILPOINTS");
        assert_int_equal(world_run(&w, push, out, sizeof out), 0);
        assert_int_equal(world_count(&w, ERRAND_READY), 1);
        assert_int_equal(world_run(&w, work, out, sizeof out), 0);
        assert_int_equal(world_run(&w, push, out, sizeof out), 0);
        assert_int_equal(world_count(&w, ERRAND_READY), 1);
        world_free(&w);
    }
#else
    skip();
#endif
}

#ifdef ERRAND_FAILPOINTS
/* As plain SQL does it: the worker learns what the class asks. */
static void push_strict(struct world *w, long n)
{
    struct er_store *store = world_store(w);
    struct errand_arena *arena = er_arena_new();
    static const char data[] = "{\"key\":\"k\",\"ms\":1}";

    for (long i = 0; i < n; i++) {
        struct errand_push_job job = {.name = "Strict",
                                      .queue = "default",
                                      .tries = 50,
                                      .data = {data, sizeof data - 1}};
        struct errand_push_params p = {.jobs = &job, .jobs_n = 1};
        struct errand_push_result ret;
        struct errand_error err = {0};

        if (er_store_push(store, &p, arena, &ret, &err) < 0)
            fail_msg("%s", err.message);
    }
    er_arena_free(arena);
    er_store_close(store);
}

static void killed_at(const char *point, long pass)
{
    const char *const args[] = {"queue:work", "--concurrency=2", "--lease=1", NULL};
    static struct visit visits[VISITS_MAX];
    char spec[128];
    pid_t worker;
    struct world w;
    size_t n;

    world_make(&w, point);
    push_strict(&w, 12);
    snprintf(spec, sizeof spec, "%s=exit@%ld", point, pass);
    setenv("ERRAND_FAILPOINTS", spec, 1);
    worker = world_start(&w, args);
    unsetenv("ERRAND_FAILPOINTS");
    if (process_wait(worker, 4000) == -1) {
        kill(worker, SIGKILL);
        process_wait(worker, 2000);
    }
    worker = world_start(&w, args);
    assert_true(world_drained(&w, PATIENCE_MS));
    stop(worker);
    assert_int_equal(world_count(&w, ERRAND_COMPLETED), 12);
    n = visits_read(&w, visits);
    assert_never_over(visits, n, "k", 1);
    world_free(&w);
}
#endif

TEST(a_worker_that_dies_at_any_point_of_a_limit_blocks_nobody)
{
#ifdef ERRAND_FAILPOINTS
    static const char *const points[] = {"exchange-before-commit",
                                         "exchange-after-commit",
                                         "after-reserve",
                                         "after-result",
                                         "after-settle",
                                         "before-start",
                                         "rate_take-before-commit",
                                         "rate_take-after-commit"};

    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        for (long pass = 1; pass <= scaled(2, 12); pass++)
            killed_at(points[i], pass);
#else
    skip();
#endif
}

TEST_MAIN()
