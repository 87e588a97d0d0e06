/* handle.h: what stands behind an errand_scheduler. */
#ifndef ER_SCHEDULER_HANDLE_H
#define ER_SCHEDULER_HANDLE_H

#include "client/config.h"
#include "scheduler/scheduler.h"

struct errand_scheduler {
    struct er_ticker ticker;
    errand *e;
    struct er_config config; /* what `e` goes by, when it was opened by one */
    pthread_t thread;
    int stop_fd, timer_fd, signal_fd, store_fd; /* -1: none */
    bool has_thread, has_ticker;
    _Atomic bool is_stopping, is_running;
};

#endif
