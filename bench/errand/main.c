/* main.c: bench-errand WHAT normal|full FILE: one figure of errand, in a process of its
 * own, beside the same figure of bench-ceiling. */
#include "errand/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    void (*run)(struct place *p);
} benches[] = {
    {"one", bench_one},         {"bulk", bench_bulk},
    {"unique", bench_unique},   {"bytes", bench_bytes},
    {"drain", bench_drain},     {"drain-keeping", bench_drain_keeping},
    {"cycle", bench_cycle},     {"cycle-keeping", bench_cycle_keeping},
    {"chain", bench_chain},     {"batch", bench_batch},
    {"growth", bench_growth},   {"sustained", bench_sustained},
    {"pickup", bench_pickup},   {"delay", bench_delay},
    {"idle", bench_idle},       {"executable", bench_executable},
    {"limited", bench_limited}, {"schedules", bench_schedules},
    {"events", bench_events},
};

static void run(void (*bench)(struct place *p), const char *sync, const char *path)
{
    struct place p = {.path = path, .sync = sync};
    char board[4096];

    if (strcmp(sync, "full") == 0)
        p.config.durable = ERRAND_DURABLE_FULL;
    snprintf(p.url, sizeof p.url, "sqlite:%s", path);
    snprintf(board, sizeof board, "%s-board", path);
    setenv("BENCH_BOARD", board, 1);
    database_remove(path);
    bench(&p);
    database_remove(path);
    unlink(board);
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
