/* signals.h: what signals mean to a supervisor. */
#ifndef ER_WORKER_SIGNALS_H
#define ER_WORKER_SIGNALS_H

#include <uv.h>

struct er_supervisor;
struct errand_error;

enum { ER_SIGNALS_N = 8 };

struct er_signals {
    uv_signal_t handles[ER_SIGNALS_N];
    int handles_n;
};

int er_signals_start(struct er_supervisor *s, struct errand_error *err);
void er_signals_stop(struct er_supervisor *s);

#endif
