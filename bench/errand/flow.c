/* flow.c: what a link of a chain and a member of a batch cost, beside plain jobs.
 *
 * Two figures for chains, because a chain is two things. A thousand chains of ten links
 * keep a worker as busy as plain jobs do, and are measured against those. One chain of
 * ten thousand links has one job at a time, each a reserve, an answer and a commit of its
 * own; it is measured against plain jobs that come one at a time, each dispatched when
 * the one before has run. */
#include "errand/bench.h"

#include <stdlib.h>

enum { LINKS = 10 };

static int64_t chain_n(void)
{
    return setting("BENCH_CHAIN", 10000);
}

static int64_t batch_n(void)
{
    return setting("BENCH_BATCH", 100000);
}

static struct errand_dispatch_item *items_make(int64_t n)
{
    struct errand_dispatch_item *items = calloc((size_t)n, sizeof *items);
    char(*data)[PAYLOAD_LEN + 1] = calloc((size_t)n, sizeof *data);

    if (!items || !data)
        die("no memory for %lld jobs", (long long)n);
    for (int64_t i = 0; i < n; i++) {
        payload_write(data[i], i, now_ns());
        items[i] = (struct errand_dispatch_item){"BenchCount", {data[i], PAYLOAD_LEN}, 0};
    }
    return items;
}

static void items_free(struct errand_dispatch_item *items)
{
    free((char *)(uintptr_t)items[0].data.ptr);
    free(items);
}

/* Works until so many handlers have begun, with as many runners as jobs can run at once;
 * the rate from the first to the last. */
static double work(struct place *p, int64_t n, int concurrency)
{
    pid_t pid =
        worker_start(p, &(struct worker_args){.concurrency = concurrency, .max_jobs = n});

    wait_for(pid);
    return board_rate();
}

/* The rate of storing goes to `name`, if there is one; that of working is the answer. */
static double stored_and_worked(struct place *p, const char *name, int64_t n,
                                int64_t each,
                                int (*store)(errand *e,
                                             const struct errand_dispatch_item *items,
                                             size_t n, struct errand_error *err),
                                int concurrency)
{
    struct errand_dispatch_item *items = items_make(n);
    struct errand_error err;
    errand *e;
    int64_t from;

    place_renew(p);
    e = store_open(p);
    board_reset();
    from = now_ns();
    for (int64_t i = 0; i < n; i += each)
        if (store(e, items + i, (size_t)each, &err) < 0)
            die("%s", err.message);
    if (name)
        figure_rate(figure_name(name, p), (double)n, from);
    errand_close(e);
    items_free(items);
    return work(p, n, concurrency);
}

static int as_plain(errand *e, const struct errand_dispatch_item *items, size_t n,
                    struct errand_error *err)
{
    return errand_dispatch_bulk(e, items, n, NULL, err);
}

static int as_chain(errand *e, const struct errand_dispatch_item *items, size_t n,
                    struct errand_error *err)
{
    return errand_chain(e, items, n, NULL, NULL, err);
}

static int as_batch(errand *e, const struct errand_dispatch_item *items, size_t n,
                    struct errand_error *err)
{
    return errand_batch(e, items, n, NULL, NULL, err);
}

/* Each is dispatched when the one before has begun: what there is without a chain. */
static double one_at_a_time(struct place *p, int64_t n)
{
    struct errand_error err;
    char data[PAYLOAD_LEN + 1];
    errand *e;
    pid_t pid;

    place_renew(p);
    e = store_open(p);
    board_reset();
    pid = worker_start(p, &(struct worker_args){.concurrency = 1, .max_jobs = n});
    for (int64_t i = 0; i < n; i++) {
        while (atomic_load(&board_get()->count) < i)
            sleep_ns(1000);
        payload_write(data, i, now_ns());
        if (errand_dispatch(e, "BenchCount", data, NULL, NULL, &err) < 0)
            die("%s", err.message);
    }
    wait_for(pid);
    errand_close(e);
    return board_rate();
}

void bench_chain(struct place *p)
{
    int64_t n = chain_n();

    figure(figure_name("chain-plain", p),
           stored_and_worked(p, NULL, n * LINKS, LINKS, as_plain, 2));
    figure(figure_name("chains", p),
           stored_and_worked(p, NULL, n * LINKS, LINKS, as_chain, 2));
    figure(figure_name("chain-alone", p), one_at_a_time(p, n));
    figure(figure_name("chain", p),
           stored_and_worked(p, "chain-stored", n, n, as_chain, 1));
}

void bench_batch(struct place *p)
{
    int64_t n = batch_n();

    figure(figure_name("batch-plain", p),
           stored_and_worked(p, "batch-plain-stored", n, n, as_plain, 2));
    figure(figure_name("batch", p),
           stored_and_worked(p, "batch-stored", n, n, as_batch, 2));
}
