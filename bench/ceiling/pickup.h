/* pickup.h: the bare pick-up, for main.c, which has the tables. */
#ifndef ER_BENCH_PICKUP_H
#define ER_BENCH_PICKUP_H

#include <stdint.h>

struct pickup {
    const char *path;
    void (*open)(const char *path); /* each process opens the database for itself */
    void (*dispatch)(int64_t number);
    const char *(*reserve)(void); /* the payload of the next job, PAYLOAD_LEN bytes */
};

/* `n` jobs, 20 ms apart: prints the figures NAME.p50_ms and NAME.p99_ms. */
void pickup_measure(const struct pickup *p, int64_t n, const char *name);

#endif
