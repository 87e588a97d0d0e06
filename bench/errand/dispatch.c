/* dispatch.c: what handing out work costs. */
#include "errand/bench.h"

#include <stdio.h>

static int64_t one_n(const struct place *p)
{
    return p->config.durable == ERRAND_DURABLE_FULL ? setting("BENCH_ONE_FULL", 2000)
                                                    : setting("BENCH_ONE", 40000);
}

static void dispatch_all(struct place *p, int64_t n, bool is_unique)
{
    char data[PAYLOAD_LEN + 1], key[32];
    struct errand_error err;
    struct errand_id id;
    errand *e = store_open(p);
    int64_t from = now_ns();

    for (int64_t i = 0; i < n; i++) {
        struct errand_options options = {.unique = key,
                                         .unique_until = ERRAND_UNIQUE_DONE};
        payload_write(data, i, now_ns());
        snprintf(key, sizeof key, "key:%lld", (long long)i);
        if (errand_dispatch(e, "BenchCount", data, is_unique ? &options : NULL, &id,
                            &err) < 0)
            die("%s", err.message);
    }
    figure_rate(figure_name(is_unique ? "unique" : "one", p), (double)n, from);
    errand_close(e);
}

void bench_one(struct place *p)
{
    dispatch_all(p, one_n(p), false);
}

void bench_unique(struct place *p)
{
    dispatch_all(p, one_n(p), true);
}

void bench_bulk(struct place *p)
{
    int64_t n = setting("BENCH_BULK", 200000), from = now_ns();

    store_fill(p, "BenchCount", n);
    figure_rate(figure_name("bulk", p), (double)n, from);
}

/* The last to close a SQLite file moves everything into it: its size is the answer. */
void bench_bytes(struct place *p)
{
    int64_t n = setting("BENCH_BULK", 200000);

    store_fill(p, "BenchCount", n);
    figure(figure_name("bytes", p), (double)file_size(p->path) / (double)n);
}

/* For a server: its ceiling program can ask how much that takes. */
void bench_fill(struct place *p)
{
    store_fill(p, "BenchCount", setting("BENCH_BULK", 200000));
}
