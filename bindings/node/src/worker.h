/* worker.h: a worker that runs handlers on the loop of JavaScript.
 *
 * The engine is on a thread of its own (worker_thread.c), which keeps leases and
 * time-outs whatever JavaScript does. JavaScript (worker.c) is told of jobs and tells how
 * they ended; in between stand places, each with one job at a time:
 *
 *     FREE -> GIVEN     the thread has told JavaScript of a job
 *     GIVEN -> BEGUN    JavaScript runs it
 *     GIVEN -> FREE     JavaScript did not come to it: handed back for another worker
 *     BEGUN -> ENDED    JavaScript has told how it ended
 *     BEGUN -> FENCED   the thread has settled it without JavaScript (late, cancelled,
 *                       lost): what that says in the end counts for nothing
 *     ENDED, FENCED -> FREE
 *
 * A place's serial number grows with each job, so that a late word about an old one finds
 * nobody. */
#ifndef ERRAND_NODE_WORKER_H
#define ERRAND_NODE_WORKER_H

#include <pthread.h>
#include <stdint.h>

#include "addon.h"

enum en_place_state { EN_FREE, EN_GIVEN, EN_BEGUN, EN_ENDED, EN_FENCED };

struct en_place {
    enum en_place_state state;
    uint32_t serial;
    struct errand_engine_job *job;
    int64_t given_ms, cancelled_ms; /* monotonic; 0: not */
    bool has_failed_hook, is_handed_back;
    struct en_bag *bag; /* of the outcome */
    struct errand_engine_outcome outcome;
    bool has_progress;
    int percent;
    char note[256];
};

/* As JavaScript gives them. */
struct en_worker_options {
    const char *url, *folder; /* url NULL: of the project in `folder` */
    struct errand_config config;
    struct errand_engine_options engine;
    int concurrency;
    int64_t max_jobs;
    bool stop_when_empty;
    double grace;
};

struct en_worker {
    struct en_worker_options options;
    struct en_bag *bag;
    pthread_t thread;
    pthread_mutex_t lock; /* places and the wishes below */
    int wake_fd;
    bool has_thread;
    int stop_wish; /* 0, 1: drain, 2: now */
    struct en_place *places;
    size_t places_n;
    napi_threadsafe_function tell;

    /* of the thread */
    errand_project *project;
    errand_engine *engine;
    int64_t begun_n, stop_at_ms, give_up_at_ms;
    bool is_empty;
    char warning[256];
};

/* What JavaScript is told. */
struct en_told {
    struct en_bag *bag;
    const char *kind; /* "job" "stop" "warning" "working" "ended" */
    const char *text; /* of a stop, warning, end: why */
    const char *name, *queue;
    struct errand_id id;
    struct errand_slice data, error;
    int place;
    int64_t serial;
    int32_t attempt, tries;
    int64_t timeout_ms;
    bool is_failed_hook;
};

void *en_worker_main(void *worker);
/* Lets the thread look again. */
void en_worker_wake(struct en_worker *worker);

#endif
