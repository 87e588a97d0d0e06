/* main.c: bench-errand WHAT NAME URL: one figure of errand, in a process of its own,
 * beside the same figure of the store's bench-ceiling. NAME ends the figure's: normal or
 * full, the safety of a SQLite file, or what a server is called. */
#include "errand/bench.h"

#include <string.h>

static const struct {
    const char *name;
    void (*run)(struct place *p);
} benches[] = {
    {"one", bench_one},
    {"bulk", bench_bulk},
    {"unique", bench_unique},
    {"bytes", bench_bytes},
    {"fill", bench_fill},
    {"drain", bench_drain},
    {"drain-keeping", bench_drain_keeping},
    {"cycle", bench_cycle},
    {"cycle-keeping", bench_cycle_keeping},
    {"chain", bench_chain},
    {"batch", bench_batch},
    {"growth", bench_growth},
    {"sustained", bench_sustained},
    {"snapshot", bench_snapshot},
    {"pickup", bench_pickup},
    {"delay", bench_delay},
    {"idle", bench_idle},
    {"executable", bench_executable},
    {"limited", bench_limited},
    {"schedules", bench_schedules},
    {"events", bench_events},
};

/* A SQLite file is made anew, and gone afterwards. A server is cleared by its ceiling. */
static void run(void (*bench)(struct place *p), const char *name, const char *url)
{
    struct place p = {.pattern = url, .name = name};

    if (strcmp(name, "full") == 0)
        p.config.durable = ERRAND_DURABLE_FULL;
    if (strncmp(url, "sqlite:", strlen("sqlite:")) == 0)
        p.path = url + strlen("sqlite:");
    place_renew(&p);
    bench(&p);
    place_renew(&p);
}

int main(int argc, char **argv)
{
    if (argc >= 8 && strcmp(argv[1], "__work") == 0)
        return worker_main(argv + 2);
    for (size_t i = 0; argc == 4 && i < sizeof benches / sizeof *benches; i++) {
        if (strcmp(argv[1], benches[i].name) != 0)
            continue;
        run(benches[i].run, argv[2], argv[3]);
        return 0;
    }
    /* A runner of ourselves, or a command of errand's. */
    return errand_main(argc, argv);
}
