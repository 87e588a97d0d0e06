/* main.c: the differential test. The same random operations on the memory driver, which
 * is the specification, and on another; every answer and, now and then, everything that
 * can be seen must be equal.
 *
 * ERRAND_SEED repeats a run, ERRAND_STEPS makes it longer, ERRAND_SHOW prints all
 * answers, ERRAND_TEST_URL names the other store (support.h). A failure prints seed and
 * step. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/move.h"
#include "store/differential/pair.h"
#include "store/support.h"

enum { DUMP_EVERY = 200, TEXT_MAX = 64 << 20 };

static uint64_t number_from_env(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static void side_open(struct side *side, const char *url, int64_t keep)
{
    struct er_store_options options = {
        .open = {.create = true, .keep_completed_ms = keep, .keep_completed_n = keep}};

    ok(er_store_open(url, &options, &side->store, &side->err));
    side->arena = er_arena_new();
    assert_non_null(side->arena);
    er_buf_init(&side->text, TEXT_MAX);
}

static void side_close(struct side *side)
{
    er_store_close(side->store);
    er_arena_free(side->arena);
    er_buf_done(&side->text);
    free(side->map.ids);
    free(side->map.numbers);
}

/* Skewed so that jobs pass through all states, and few at a time, so that they meet. */
void step(struct pair *p)
{
    static const struct {
        int weight;
        void (*run)(struct pair *);
    } steps[] = {{22, step_push},  {34, step_exchange}, {4, step_extend},
                 {4, step_reap},   {10, step_change},   {4, step_operator},
                 {8, step_beside}, {3, step_fire},      {11, step_look}};
    int64_t at = pick(p, 100);

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (at < steps[i].weight) {
            steps[i].run(p);
            return;
        }
        at -= steps[i].weight;
    }
}

static void time_passes(struct pair *p)
{
    static const int64_t far[] = {1000, 4000, 12000};

    p->now += chance(p, 4) ? far[pick(p, 3)] : pick(p, 60);
}

/* The first line in which they differ, with what stands before it. */
static void show_difference(const char *a, const char *b)
{
    size_t same = 0, line = 0;

    while (a[same] && a[same] == b[same]) {
        same++;
        if (a[same - 1] == '\n')
            line = same;
    }
    print_error("memory: %.*s\nother:  %.*s\n", (int)strcspn(a + line, "\n"), a + line,
                (int)strcspn(b + line, "\n"), b + line);
}

/* A look in vain is allowed, to sleep too long is not. */
static void compare_next(struct pair *p)
{
    int64_t next = p->sides[0].next_at_ms, other = p->sides[1].next_at_ms;

    if (next && (!other || other > next))
        say(&p->sides[1], "next is %lld, at most %lld\n", (long long)other,
            (long long)next);
}

static void compare(struct pair *p, uint64_t steps_done)
{
    const char *a, *b;

    compare_next(p);
    a = p->sides[0].text.ptr ? p->sides[0].text.ptr : "";
    b = p->sides[1].text.ptr ? p->sides[1].text.ptr : "";

    if (getenv("ERRAND_SHOW"))
        print_message("step %llu %s\n%s", (unsigned long long)steps_done, p->doing, a);
    if (strcmp(a, b) != 0 || p->sides[0].text.has_failed || strstr(a, "finding:")) {
        print_error("seed %llu, step %llu (%s):\n", (unsigned long long)p->seed,
                    (unsigned long long)steps_done, p->doing);
        show_difference(a, b);
        print_error("errors: %s | %s\nrepeat with ERRAND_SEED=%llu\n",
                    p->sides[0].err.message, p->sides[1].err.message,
                    (unsigned long long)p->seed);
        fail();
    }
    for (size_t s = 0; s < SIDES; s++) {
        er_arena_reset(p->sides[s].arena);
        er_buf_reset(&p->sides[s].text);
        p->sides[s].err.message[0] = '\0';
    }
}

/* ------------------------------------------------------------------ moving on */

static char *dump_text(struct side *side, int64_t at)
{
    er_buf_reset(&side->text);
    dump_kept(side, at);
    return er_buf_take(&side->text);
}

/* Into a fresh store, in which everything that is carried is as it was. */
static void side_move(struct pair *p, struct side *side, const char *url, int64_t keep)
{
    struct er_store_options options = {
        .open = {.create = true, .keep_completed_ms = keep, .keep_completed_n = keep}};
    char *before = dump_text(side, p->now), *after;
    struct er_move move = {.from = side->store, .now_ms = p->now, .is_forced = true};
    struct er_move_result moved;

    ok(er_store_open(url, &options, &move.to, &err));
    ok(er_move_run(&move, side->arena, &moved, &err));
    er_store_close(side->store);
    side->store = move.to;
    after = dump_text(side, p->now);
    if (strcmp(before, after) != 0)
        show_difference(before, after);
    assert_string_equal(before, after);
    free(before);
    free(after);
    side->last_control = side->last_token = 0;
}

static void reap_all(struct pair *p)
{
    struct errand_reap_params q = {.now_ms = p->now, .max = 10000};
    struct errand_reap_result ret;

    for (size_t s = 0; s < SIDES; s++)
        ok(er_store_reap(p->sides[s].store, &q, p->sides[s].arena, &ret, &err));
}

/* Both sides: what a move does not carry is then gone on both. */
static void move_on(struct pair *p, char *url, size_t size, int64_t keep)
{
    char old[256];

    p->doing = "move";
    p->now += HOUR;
    reap_all(p);
    side_move(p, &p->sides[0], "memory:", keep);
    snprintf(old, sizeof old, "%s", url);
    snprintf(url, size, "%s", store_fresh_url());
    side_move(p, &p->sides[1], url, keep);
    store_remove(old);
    p->work_n = 0;
    memset(p->lock_tokens, 0, sizeof p->lock_tokens);
}

static void run(uint64_t seed, uint64_t steps, int64_t keep, uint64_t move_every)
{
    struct pair *p = calloc(1, sizeof *p);
    char url[256];

    assert_non_null(p);
    p->seed = p->random = seed;
    p->now = START;
    snprintf(url, sizeof url, "%s", store_fresh_url());
    side_open(&p->sides[0], "memory:", keep);
    side_open(&p->sides[1], url, keep);
    for (uint64_t i = 0; i < steps; i++) {
        step(p);
        compare(p, i);
        if (i % DUMP_EVERY == DUMP_EVERY - 1) {
            dump(p);
            compare(p, i);
        }
        time_passes(p);
        if (move_every && i % move_every == move_every - 1) {
            move_on(p, url, sizeof url, keep);
            compare(p, i);
        }
    }
    side_close(&p->sides[0]);
    side_close(&p->sides[1]);
    store_remove(url);
    free(p->jobs);
    free(p);
}

static uint64_t a_seed(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return number_from_env("ERRAND_SEED",
                           (uint64_t)ts.tv_sec * 1000003u + (uint64_t)ts.tv_nsec);
}

TEST(the_same_operations_have_the_same_answers)
{
    run(a_seed(), number_from_env("ERRAND_STEPS", 4000), -1, 0);
}

TEST(the_same_holds_when_no_history_is_kept)
{
    run(a_seed(), number_from_env("ERRAND_STEPS", 4000) / 2, 0, 0);
}

TEST(what_was_moved_to_another_store_is_as_it_was_and_goes_on)
{
    run(a_seed(), number_from_env("ERRAND_STEPS", 4000) / 2, -1, 250);
}

TEST_MAIN()
