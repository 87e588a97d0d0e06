/* bench.h: the parts of bench-errand. It is a program like a user's own: job classes of
 * its own, errand_main, and a worker started from itself. */
#ifndef ER_BENCH_ERRAND_H
#define ER_BENCH_ERRAND_H

#include "measure.h"

#include <errand.h>
#include <stdatomic.h>

/* What handlers report, in a file that they all map: a handler must cost next to nothing
 * and its runner may be any process. */
enum { BOARD_VALUES = 65536 };
struct board {
    atomic_llong count, first_ns, last_ns;
    atomic_llong values_n;
    int64_t values[BOARD_VALUES]; /* ns */
};
/* The board at $BENCH_BOARD, made when it is not there. Mapped once a process. */
struct board *board_get(void);
void board_reset(void);
double board_rate(void);         /* from the first start to the last */
void board_await(int64_t count); /* until so many handlers have started; at most 60 s */
/* p50 and p99 of the values as NAME.p50_ms and NAME.p99_ms. */
void board_figures(const char *name);

/* One run: where the jobs are and how safe they must be. */
struct place {
    const char *pattern; /* the URL, % where a server has a store of each number */
    const char *path;    /* of a SQLite file; NULL on a server */
    char url[4096];
    int number;
    const char *name; /* "normal", "full" or what the server is called */
    struct errand_config config;
};

void place_renew(struct place *p); /* an empty store */

errand *store_open(const struct place *p);
void store_fill(const struct place *p, const char *job, int64_t n);

struct worker_args {
    int concurrency;
    int64_t max_jobs;
    bool stops_when_empty;
    const char *project;
};
pid_t worker_start(const struct place *p, const struct worker_args *args);
void worker_stop(pid_t pid);
/* The other side of worker_start. */
int worker_main(char **argv);

/* errand.what.name, the form of every figure. Valid until the next call. */
const char *figure_name(const char *what, const struct place *p);

void bench_one(struct place *p);
void bench_bulk(struct place *p);
void bench_unique(struct place *p);
void bench_bytes(struct place *p);
void bench_fill(struct place *p);
void bench_drain(struct place *p);
void bench_drain_keeping(struct place *p);
void bench_cycle(struct place *p);
void bench_cycle_keeping(struct place *p);
void bench_chain(struct place *p);
void bench_batch(struct place *p);
void bench_growth(struct place *p);
void bench_sustained(struct place *p);
void bench_snapshot(struct place *p);
void bench_pickup(struct place *p);
void bench_delay(struct place *p);
void bench_idle(struct place *p);
void bench_executable(struct place *p);
void bench_limited(struct place *p);
void bench_schedules(struct place *p);
void bench_events(struct place *p);

#endif
