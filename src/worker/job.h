/* job.h: the inside of an errand_job, for whatever runs handlers: the runner, and what
 * runs one in its own process (here.c). */
#ifndef ER_WORKER_JOB_H
#define ER_WORKER_JOB_H

#include "base/arena.h"
#include "base/buf.h"
#include "errand/job.h"

enum { ER_RESULT_MAX = 64 << 10, ER_NOTE_MAX = 256 };

/* What a job asks of whoever runs it. */
struct er_job_host {
    int (*progress)(void *ctx, int percent, const char *note, struct errand_error *err);
    bool (*is_stopping)(void *ctx);
    /* a line of the log, without its end; NULL: to standard output */
    void (*log)(void *ctx, const char *line, size_t len);
    /* Asks whoever holds the store, see enum er_ask_kind, and waits; the answer lives
     * until the handler returns. NULL: nobody does. */
    int (*ask)(void *ctx, int kind, struct errand_slice text, struct errand_slice *ret,
               struct errand_error *err);
    void *ctx;
};

/* One is used again and again: er_job_begin readies it, and memory that grew stays. All
 * strings end with NUL and live until the handler returns. */
struct errand_job {
    const struct er_job_host *host;
    const char *id, *name, *queue;
    int32_t attempt, tries;
    int64_t timeout_ms; /* 0: none */
    int64_t started_mono_ms;
    struct errand_slice data;
    struct errand_arena *arena; /* what the accessors hand out */
    struct er_buf result;       /* empty: none */
    int64_t snooze_ms;          /* -1: not said */
    int64_t retry_ms;           /* -1: not said */
    bool is_json;               /* data was looked at and is JSON */
    bool has_parents;           /* they were asked for: */
    struct errand_parent *parents;
    size_t parents_n;
};

int er_job_init(struct errand_job *job, const struct er_job_host *host); /* 0 or -1 */
void er_job_done(struct errand_job *job);
/* Forgets the last attempt; the caller then fills in the fields of the next. */
void er_job_begin(struct errand_job *job);
/* How long a job may put itself off: EINVAL over a year, negative, or no number. */
int er_job_wait_ms(const char *what, double seconds, int64_t *ret,
                   struct errand_error *err);

#endif
