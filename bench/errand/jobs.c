/* jobs.c: the handlers, and the board on which they say that they ran. */
#include "errand/bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct board *board_get(void)
{
    static struct board *board;
    const char *path = getenv("BENCH_BOARD");
    int fd;

    if (board)
        return board;
    if (!path || (fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0 ||
        ftruncate(fd, sizeof *board) < 0)
        die("BENCH_BOARD: no file to report in");
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (board == MAP_FAILED)
        die("BENCH_BOARD: cannot be mapped");
    close(fd);
    return board;
}

void board_reset(void)
{
    struct board *b = board_get();

    atomic_store(&b->count, 0);
    atomic_store(&b->first_ns, 0);
    atomic_store(&b->last_ns, 0);
    atomic_store(&b->values_n, 0);
}

double board_rate(void)
{
    struct board *b = board_get();
    double ns = (double)(atomic_load(&b->last_ns) - atomic_load(&b->first_ns));

    return (double)(atomic_load(&b->count) - 1) / (ns / 1e9);
}

void board_await(int64_t count)
{
    int64_t end = now_ns() + 60000000000;

    while (atomic_load(&board_get()->count) < count) {
        if (now_ns() > end)
            die("only %lld of %lld jobs ran within a minute",
                (long long)atomic_load(&board_get()->count), (long long)count);
        sleep_ns(1000000);
    }
}

void board_figures(const char *name)
{
    struct board *b = board_get();
    size_t n = (size_t)atomic_load(&b->values_n);
    static double ms[BOARD_VALUES];
    char line[128];

    for (size_t i = 0; i < n; i++)
        ms[i] = (double)b->values[i] / 1e6;
    snprintf(line, sizeof line, "%s.p50_ms", name);
    figure(line, percentile(ms, n, 0.5));
    snprintf(line, sizeof line, "%s.p99_ms", name);
    figure(line, percentile(ms, n, 0.99));
}

static void started(struct board *b, int64_t now)
{
    long long none = 0;

    atomic_compare_exchange_strong(&b->first_ns, &none, now);
    atomic_store_explicit(&b->last_ns, now, memory_order_relaxed);
    atomic_fetch_add(&b->count, 1);
}

static int count(errand_job *job, struct errand_error *err)
{
    (void)job;
    (void)err;
    started(board_get(), now_ns());
    return ERRAND_DONE;
}
ERRAND_JOB(BenchCount, .handle = count)

static void value_add(struct board *b, int64_t value)
{
    long long at = atomic_fetch_add(&b->values_n, 1);

    if (at < BOARD_VALUES)
        b->values[at] = value;
}

/* From the call of dispatch to here. */
static int pickup(errand_job *job, struct errand_error *err)
{
    int64_t now = now_ns();

    (void)err;
    value_add(board_get(), now - payload_time_ns(errand_job_data(job).ptr));
    started(board_get(), now);
    return ERRAND_DONE;
}
ERRAND_JOB(BenchPickup, .handle = pickup)

/* How long after its time. */
static int late(errand_job *job, struct errand_error *err)
{
    int64_t now = wall_ns();

    (void)err;
    value_add(board_get(), now - payload_time_ns(errand_job_data(job).ptr));
    started(board_get(), now);
    return ERRAND_DONE;
}
ERRAND_JOB(BenchLate, .handle = late)
