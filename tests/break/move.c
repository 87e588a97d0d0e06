/* move.c: a move that is killed at any point and repeated, and one of many jobs. */
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "break.h"
#include "support/fresh.h"

static void target_of(const struct world *w, char *url, size_t size)
{
    snprintf(url, size, "sqlite:%s/target.db", w->dir);
}

/* 700 jobs are four pages: a chain, failed ones, and such that wait for their time. */
static void fill(struct world *w)
{
    char out[4096], file[200];
    const char *const args[] = {"queue:chain", file, NULL};
    FILE *chain;

    snprintf(file, sizeof file, "%s/chain.json", w->dir);
    assert_non_null(chain = fopen(file, "we"));
    fputs("[{\"job\":\"a\"},{\"job\":\"b\"},{\"job\":\"c\"}]", chain);
    fclose(chain);
    push_jobs(w, "work", "{\"ms\":1}", 350);
    assert_int_equal(world_run(w, args, out, sizeof out), 0);
    push_jobs(w, "work", "{\"ms\":1}", 347);
}

static int64_t count_in(const struct world *w, const char *url, enum errand_state state)
{
    struct world other = *w;

    snprintf(other.url, sizeof other.url, "%s", url);
    return world_count(&other, state);
}

static int move(struct world *w, const char *to)
{
    const char *const args[] = {"move", "--from", w->url, "--to", to, NULL};
    char out[4096];
    int code = world_run(w, args, out, sizeof out);

    if (code && code != 137)
        print_message("%s\n", out);
    return code;
}

static void assert_moved(struct world *w, const char *to)
{
    assert_int_equal(world_count(w, ERRAND_READY), 0);
    assert_int_equal(world_count(w, ERRAND_HELD), 0);
    assert_int_equal(count_in(w, to, ERRAND_READY), 698);
    assert_int_equal(count_in(w, to, ERRAND_HELD), 2);
}

/* From a store of one kind to one of another; NULL: to a file. */
static void killed_at(const char *point, long pass, const char *to_kind)
{
    char to[256], spec[128];
    struct world w;
    int code;

    world_make(&w, point);
    if (to_kind)
        assert_true(fresh_url(to_kind, w.dir, to, sizeof to));
    else
        target_of(&w, to, sizeof to);
    fill(&w);
    snprintf(spec, sizeof spec, "%s=exit@%ld", point, pass);
    setenv("ERRAND_FAILPOINTS", spec, 1);
    code = move(&w, to);
    unsetenv("ERRAND_FAILPOINTS");
    assert_true(code == 137 || code == 0); /* 0: it is not passed so often */
    /* Nothing is lost at any moment: what has left the source is in the target. */
    assert_true(world_count(&w, ERRAND_READY) + count_in(&w, to, ERRAND_READY) >= 698);
    assert_int_equal(move(&w, to), 0);
    assert_moved(&w, to);
    assert_true(fresh_remove(to));
    world_free(&w);
}

#ifdef ERRAND_FAILPOINTS
static const char *const points[] = {"load-before-commit",          "load-after-commit",
                                     "change-before-commit",        "change-after-commit",
                                     "queue_pause-after-commit",    "lock-after-commit",
                                     "schedule_delete-after-commit"};
enum { POINTS_N = sizeof points / sizeof *points };
#endif

TEST(a_move_that_is_killed_anywhere_is_repeated)
{
#ifdef ERRAND_FAILPOINTS
    for (size_t i = 0; i < POINTS_N; i++)
        for (long pass = 1; pass <= scaled(1, 14); pass++)
            killed_at(points[i], pass, NULL);
#else
    (void)killed_at;
    skip();
#endif
}

/* Between kinds of stores: two pairs and points by chance, since a move that was killed
 * holds its lock for seconds; with --long all pairs, at each point on its first passes.
 */
TEST(a_move_between_kinds_of_stores_that_is_killed_is_repeated)
{
#ifdef ERRAND_FAILPOINTS
    static const char *const kinds[] = {"sqlite", "postgres", "redis"};
    uint64_t first = 1 + (uint64_t)mono_ms() % 8;

    if (!getenv("ERRAND_TEST_POSTGRES") || !getenv("ERRAND_TEST_REDIS"))
        skip();
    for (long i = 0; i < scaled(2, 8); i++) {
        uint64_t pair = 1 + (first + 3 * (uint64_t)i) % 8; /* 0: file to file */
        setenv("ERRAND_TEST_URL", kinds[pair / 3], 1);
        for (uint64_t k = 0; k < (uint64_t)scaled(1, POINTS_N); k++)
            for (long pass = 1; pass <= scaled(1, 3); pass++)
                killed_at(points[(first + pair + k) % POINTS_N], pass, kinds[pair % 3]);
    }
    unsetenv("ERRAND_TEST_URL");
#else
    skip();
#endif
}

/* Largest size of the process that moved so many jobs, in KiB. */
static long size_of_move(long jobs)
{
    char to[160];
    struct world w;
    struct rusage used;
    pid_t pid;
    int status;

    world_make(&w, "a move of many jobs");
    target_of(&w, to, sizeof to);
    push_jobs(&w, "work", "{\"ms\":1}", jobs);
    const char *const args[] = {"move", "--from", w.url, "--to", to, NULL};
    pid = world_start(&w, args);
    assert_int_equal(wait4(pid, &status, 0, &used), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(count_in(&w, to, ERRAND_READY), jobs);
    world_free(&w);
    return used.ru_maxrss;
}

TEST(a_move_of_many_jobs_takes_no_more_memory_than_one_of_few)
{
    long few = size_of_move(1000), many = size_of_move(scaled(20000, 100000));

    print_message("%ld KiB for few, %ld KiB for many\n", few, many);
    assert_true(many < few + (16 << 10));
}

TEST_MAIN()
