/* store.c: the store alone, no processes: reserve and settle in one call, a hundred
 * (BENCH_BATCH) at a time. What the runners cost is the difference to drain. */
#include "errand/bench.h"

#include "store/store.h"

#include <stdlib.h>

enum { BATCH_MAX = 1000 };

static void settle_next(const struct errand_exchange_result *got,
                        struct errand_outcome outcomes[BATCH_MAX], int64_t now_ms)
{
    for (size_t i = 0; i < got->jobs_n; i++)
        outcomes[i] = (struct errand_outcome){.token = got->jobs[i].token,
                                              .key = got->jobs[i].key,
                                              .id = got->jobs[i].id,
                                              .kind = ERRAND_OUT_DONE,
                                              .started_ms = now_ms,
                                              .ended_ms = now_ms};
}

static int64_t cycle_all(struct er_store *store)
{
    static struct errand_outcome outcomes[BATCH_MAX];
    struct errand_exchange_params params = {.outcomes = outcomes,
                                            .max = (size_t)setting("BENCH_BATCH", 100),
                                            .lease_ms = 60000,
                                            .worker = "bench"};
    struct errand_arena *arena = er_arena_new();
    struct errand_error err;
    int64_t done = 0;

    for (;;) {
        struct errand_exchange_result got = {0};
        er_arena_reset(arena);
        if (er_store_exchange(store, &params, arena, &got, &err) < 0)
            die("%s", err.message);
        done += (int64_t)params.outcomes_n;
        if (got.jobs_n == 0 && params.outcomes_n == 0)
            break;
        settle_next(&got, outcomes, wall_ns() / 1000000);
        params.outcomes_n = got.jobs_n;
    }
    er_arena_free(arena);
    return done;
}

static void cycle(struct place *p, const char *name)
{
    struct er_store_options options = {
        .open = {.durable = p->config.durable,
                 .keep_completed_n =
                     p->config.keep_completed_n == ERRAND_KEEP_NONE ? 0 : 10000,
                 .keep_completed_ms = 86400000}};
    struct er_store *store;
    struct errand_error err;
    int64_t from, n;

    store_fill(p, "BenchCount", setting("BENCH_DRAIN", 200000));
    if (er_store_open(p->url, &options, &store, &err) < 0)
        die("%s", err.message);
    from = now_ns();
    n = cycle_all(store);
    figure_rate(figure_name(name, p), (double)n, from);
    er_store_close(store);
}

void bench_cycle(struct place *p)
{
    p->config.keep_completed_n = ERRAND_KEEP_NONE;
    cycle(p, "cycle");
}

void bench_cycle_keeping(struct place *p)
{
    cycle(p, "cycle-keeping");
}
