/* sync.h: one attempt in a child process, here and now, without a store: what can be
 * stopped when its time is over. Running one in this very process is here.h. */
#ifndef ER_WORKER_SYNC_H
#define ER_WORKER_SYNC_H

#include "base/buf.h"
#include "worker/spawn.h"

struct er_sync {
    /* said by the caller */
    struct errand_arena *arena;
    const char *project;          /* the folder it runs in; NULL: as here */
    const char *file;             /* the executable; NULL: this program runs a class */
    const char *const *env_allow; /* see worker.h */
    int64_t memory_mib;
    int kind;         /* enum er_run_kind, of a class */
    const char *name; /* as it was asked for */
    const char *queue;
    struct errand_slice data;
    int64_t timeout_ms; /* 0: none */
    struct errand_id id;

    struct er_child child;
    int output_fd; /* what the job prints, passed on to standard error */
    int channel_fd;
    int64_t term_ms, kill_ms; /* monotonic; when it is to be ended */
    bool is_over;             /* the child has ended: status */
    int status;
    bool has_answer; /* a DONE frame, or an executable that ended */
    bool is_timed_out;
    int verdict;          /* enum errand_verdict */
    int64_t snooze_ms;    /* -1: not said */
    struct er_buf in;     /* of the channel, not whole yet */
    struct er_buf result; /* JSON, or empty */
    struct er_buf error;  /* what went wrong, in words; empty: see status */
};

/* sync.c: first of all, and last; what the caller said is kept. */
void er_sync_init(struct er_sync *sync);
void er_sync_done(struct er_sync *sync);

/* sync_start.c: starts the child: the program itself for a C handler, else the file. */
int er_sync_start(struct er_sync *sync, struct errand_error *err);
/* sync_run.c: until the child has answered or its time is over. */
int er_sync_run(struct er_sync *sync, struct errand_error *err);

#endif
