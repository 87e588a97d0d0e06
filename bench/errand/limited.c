/* limited.c: what a rate costs a job under it, with a thousand keys; the whole life of a
 * job, from its dispatch to its handler, beside that of a plain one. */
#include "errand/bench.h"

#include <stdio.h>

enum { KEYS = 1000, BULK = 1000 };

/* Nobody has to wait: what is measured is the counting. */
static void limited_fill(const struct place *p, int64_t n)
{
    static char data[BULK][PAYLOAD_LEN + 1], keys[KEYS][16];
    static struct errand_options options[KEYS];
    static struct errand_dispatch_item items[BULK];
    struct errand_error err;
    errand *e = store_open(p);

    for (int k = 0; k < KEYS; k++) {
        snprintf(keys[k], sizeof keys[k], "user:%d", k);
        options[k] = (struct errand_options){
            .rate = {.max = 1000000, .per = 60, .name = "api", .key = keys[k]}};
    }
    for (int64_t i = 0; i < n; i += BULK) {
        size_t k, now = (size_t)(n - i < BULK ? n - i : BULK);
        for (k = 0; k < now; k++) {
            payload_write(data[k], i + (int64_t)k, now_ns());
            items[k] = (struct errand_dispatch_item){.name = "BenchCount",
                                                     .data = {data[k], PAYLOAD_LEN},
                                                     .options = &options[k]};
        }
        if (errand_dispatch_bulk(e, items, now, NULL, &err) < 0)
            die("%s", err.message);
    }
    errand_close(e);
}

static void life(struct place *p, const char *name, bool is_limited)
{
    int64_t n = setting("BENCH_LIMITED", 50000), from = now_ns();
    pid_t pid;

    place_renew(p);
    if (is_limited)
        limited_fill(p, n);
    else
        store_fill(p, "BenchCount", n);
    board_reset();
    pid = worker_start(p,
                       &(struct worker_args){.concurrency = 2, .stops_when_empty = true});
    wait_for(pid);
    board_await(n);
    figure_rate(figure_name(name, p), (double)n, from);
}

void bench_limited(struct place *p)
{
    p->config.keep_completed_n = ERRAND_KEEP_NONE;
    life(p, "limited-none", false);
    life(p, "limited-rate", true);
}
