/* drain.c: how fast a worker with two runners empties a store, from the start of the
 * first handler to the start of the last. */
#include "errand/bench.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>

/* Fills with n, works `most` of them (0: all), answers the rate. */
static double drain(struct place *p, int64_t n, int64_t most)
{
    pid_t pid;

    store_fill(p, "BenchCount", n);
    board_reset();
    pid = worker_start(p, &(struct worker_args){.concurrency = 2,
                                                .max_jobs = most,
                                                .stops_when_empty = true});
    wait_for(pid);
    if (atomic_load(&board_get()->count) < (most ? most : n))
        die("%lld of %lld jobs ran", (long long)atomic_load(&board_get()->count),
            (long long)(most ? most : n));
    return board_rate();
}

void bench_drain(struct place *p)
{
    p->config.keep_completed_n = ERRAND_KEEP_NONE;
    figure(figure_name("drain", p), drain(p, setting("BENCH_DRAIN", 200000), 0));
}

void bench_drain_keeping(struct place *p)
{
    figure(figure_name("drain-keeping", p), drain(p, setting("BENCH_DRAIN", 200000), 0));
}

/* Ten thousand are gone in a blink: the median of several, each on a fresh file. */
void bench_growth(struct place *p)
{
    enum { ROUNDS = 5 };
    double shallow[ROUNDS];

    p->config.keep_completed_n = ERRAND_KEEP_NONE;
    for (int i = 0; i < ROUNDS; i++) {
        shallow[i] = drain(p, 10000, 0);
        place_renew(p);
    }
    figure(figure_name("drain-10k", p), percentile(shallow, ROUNDS, 0.5));
    figure(figure_name("drain-1m", p),
           drain(p, setting("BENCH_DEEP", 1000000), setting("BENCH_DRAIN", 200000)));
}

/* Somebody who reads for a long time: nothing may be checkpointed past its snapshot. */
static sqlite3 *snapshot_open(const char *path)
{
    sqlite3 *db;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) ||
        sqlite3_exec(db, "BEGIN; SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL))
        die("%s: %s", path, sqlite3_errmsg(db));
    return db;
}

/* Keeps the store from running dry while it is worked for `seconds`. Rates of the first
 * and of the last five seconds. */
static void sustain(struct place *p, int64_t seconds, double ret[2])
{
    int64_t filled = 0, marks[4], from = now_ns();
    struct board *b = board_get();

    for (int part = 0; part < 4; part++) {
        static const int starts[] = {0, 5, -5, 0};
        int64_t at = part < 2 ? starts[part] : seconds + starts[part];
        while (now_ns() < from + at * 1000000000) {
            if (filled - atomic_load(&b->count) < 300000) {
                store_fill(p, "BenchCount", 20000);
                filled += 20000;
            }
            sleep_ns(5000000);
        }
        marks[part] = atomic_load(&b->count);
    }
    ret[0] = (double)(marks[1] - marks[0]) / 5;
    ret[1] = (double)(marks[3] - marks[2]) / 5;
}

/* Beside a snapshot of the file, or, of a server, beside one that somebody else holds. */
static void sustained(struct place *p, bool is_beside_snapshot)
{
    sqlite3 *db = NULL;
    double rates[2];
    pid_t pid;

    place_renew(p);
    store_fill(p, "BenchCount", 200000);
    board_reset();
    pid = worker_start(p, &(struct worker_args){.concurrency = 2});
    board_await(1);
    if (is_beside_snapshot && p->path)
        db = snapshot_open(p->path);
    sustain(p, setting("BENCH_SUSTAINED", 60), rates);
    worker_stop(pid);
    sqlite3_close(db);
    figure(figure_name(is_beside_snapshot ? "snapshot-first" : "sustained-first", p),
           rates[0]);
    figure(figure_name(is_beside_snapshot ? "snapshot-last" : "sustained-last", p),
           rates[1]);
}

void bench_sustained(struct place *p)
{
    sustained(p, false);
}

void bench_snapshot(struct place *p)
{
    sustained(p, true);
}
