/* latency.c: how long a job waits when nothing else is to be done. */
#include "errand/bench.h"

#include <stdio.h>

static void dispatch(errand *e, const char *job, int64_t time_ns, int64_t run_at_ms)
{
    char data[PAYLOAD_LEN + 1];
    struct errand_options options = {.run_at_ms = run_at_ms};
    struct errand_error err;
    struct errand_id id;

    payload_write(data, 0, time_ns);
    if (errand_dispatch(e, job, data, &options, &id, &err) < 0)
        die("%s", err.message);
}

/* A worker that has started its runners and gone to sleep again. */
static pid_t worker_warm(struct place *p, errand *e)
{
    pid_t pid = worker_start(p, &(struct worker_args){.concurrency = 2});

    board_reset();
    for (int i = 0; i < 20; i++)
        dispatch(e, "BenchCount", 0, 0);
    board_await(20);
    sleep_ns(300000000);
    board_reset();
    return pid;
}

void bench_pickup(struct place *p)
{
    int64_t n = setting("BENCH_PICKUP", 200);
    errand *e = store_open(p);
    pid_t pid = worker_warm(p, e);

    for (int64_t i = 0; i < n; i++) {
        dispatch(e, "BenchPickup", now_ns(), 0);
        sleep_ns(20000000);
    }
    board_await(n);
    board_figures(figure_name("pickup", p));
    worker_stop(pid);
    errand_close(e);
}

void bench_delay(struct place *p)
{
    int64_t n = setting("BENCH_DELAY", 200);
    errand *e = store_open(p);
    pid_t pid = worker_warm(p, e);
    struct board *b = board_get();

    for (int64_t i = 0; i < n; i++) {
        int64_t due_ms = wall_ns() / 1000000 + 1000;
        dispatch(e, "BenchLate", due_ms * 1000000, due_ms);
        sleep_ns(7000000);
    }
    board_await(n);
    for (int64_t i = 0; i < n; i++)
        if (b->values[i] < 0)
            die("a job ran %lld ns before its time", -(long long)b->values[i]);
    board_figures(figure_name("delay", p));
    worker_stop(pid);
    errand_close(e);
}
