/* supervisor.h: the state of one supervisor, and what its parts ask of one another.
 *
 * One thread, one loop. Callbacks of the loop only note what happened; everything is
 * decided in the turn (supervisor.c), once per round of the loop. docs/worker.md tells
 * the life of a turn. */
#ifndef ER_WORKER_SUPERVISOR_H
#define ER_WORKER_SUPERVISOR_H

#include <uv.h>

#include "store/store.h"
#include "worker/attempt.h"
#include "worker/lease.h"
#include "worker/notify.h"
#include "worker/report.h"
#include "worker/retention.h"
#include "worker/settle.h"
#include "worker/signals.h"
#include "worker/slots.h"
#include "worker/stats.h"

enum er_mode {
    ER_WORKING,
    ER_STOPPING, /* reserves nothing; what runs may finish until stop_at_ms */
    ER_LEAVING,  /* all is settled or given up; waits for the children to be gone */
};

/* What a supervisor is given. */
struct er_work {
    const char *url;
    const struct errand_config *config;
    const struct errand_worker_options *options;
    struct errand_worker *host; /* NULL: the process is its own, signals included */
};

/* Queues and the places they share. A worker without pools is one pool. */
struct er_pool {
    const char *const *queues; /* NULL: all */
    size_t queues_n;
    size_t concurrency;
    size_t pending_n;   /* of its attempts */
    const char **order; /* of the queues for the next reserve, when they have weights */
    /* what the last reserve told */
    bool is_more;       /* it got all it asked for */
    bool was_empty;     /* it got nothing */
    bool is_look_due;   /* woken, or time to look */
    int64_t look_at_ms; /* monotonic */
};
enum { ER_POOLS_MAX = 64 };

struct er_supervisor {
    struct er_pool *pools;
    size_t pools_n, pool_next; /* at least one; whose turn it is to reserve */
    struct errand_worker *host;
    uv_poll_t requests; /* of the host */
    bool has_requests;
    bool is_heard; /* a runner has said HELLO */
    uv_loop_t loop;
    uv_prepare_t turn;
    uv_timer_t timer; /* wakes the loop for the earliest of all that is to come */
    uv_timer_cb on_timer;
    uv_poll_t wake; /* the store's descriptor */
    uv_fs_event_t files;
    bool has_files, has_wake;

    struct errand_worker_options options; /* with every default filled in */
    const char *name;
    int64_t lease_ms, grace_ms, sleep_ms;
    struct er_store *store;
    errand *client;             /* owns it */
    struct errand_arena *arena; /* lives as long as the supervisor */
    char **envp;                /* of runners */

    struct er_book *book; /* NULL until the first runner has said HELLO */
    int generation;       /* of the code; grows with each reload */
    bool is_reload_wanted, is_publish_due;
    int64_t publish_at_ms;
    const char *folder;  /* app/Jobs, or NULL */
    uint64_t files_mark; /* what it looked like */
    int64_t look_at_files_ms;

    struct er_lots lots;
    struct er_slots slots;
    struct er_settle settle;
    struct er_leases leases;
    struct er_telling telling;
    struct er_retention retention;
    struct er_stats stats;
    struct er_report report;
    struct er_signals signals;

    enum er_mode mode;
    bool is_quiet; /* by TSTP or command: runs on, reserves nothing */
    int sweeps_n;
    int64_t oom_kills; /* by the kernel, when last looked */
    bool is_stopped_now, is_grace_over, is_closing;
    int64_t started_ms, stop_at_ms, give_up_at_ms, kill_at_ms, end_at_ms;
    int64_t wake_at_ms; /* when the next turn is wanted at the latest */
    int64_t turn_ms;    /* how long the last turn took */
    int64_t late_ms;    /* how late this one is */
    int64_t now_ms;     /* monotonic, read once a turn */
    int64_t wall_ms;    /* the same instant on the wall clock */
    int64_t ended_n;    /* attempts */
};

/* How an attempt ended, before the rules decide what follows from it. */
struct er_ending {
    enum errand_cause cause;
    /* enum errand_verdict, when the handler answered (cause NONE or ERROR) */
    int verdict;
    int64_t snooze_ms; /* RETRY: > 0 stands in for the backoff */
    int32_t exit_code, signal;
    int64_t max_rss_kib, cpu_ms;
    int64_t ended_ms; /* 0: now */
    struct errand_slice error, result;
    const struct er_asked *asked; /* LIMIT; result is for a duplicate. NULL: it ran */
};

/* Works until told to stop: errand_worker_run, or the thread of an embedded worker. */
int er_supervisor_work(const struct er_work *work, struct errand_error *err);

/* ask_turn.c: answers what running jobs have asked. */
void er_asks_turn(struct er_supervisor *s);
/* The same at once, for a job that has nobody to wait with. */
int er_ask_now(struct er_supervisor *s, struct er_attempt *attempt, int kind,
               struct errand_slice text, struct er_buf *answer, struct errand_error *err);

void er_supervisor_stop(struct er_supervisor *s, const char *why);
void er_supervisor_stop_now(struct er_supervisor *s);
void er_supervisor_reload(struct er_supervisor *s, const char *why);
/* options.c: a copy that lives as long as the arena, but for the pools; -1: no memory. */
int er_options_keep(const struct errand_worker_options *given, struct errand_arena *arena,
                    struct errand_worker_options *ret);
/* Copies what was said and fills in the rest. */
int er_options_take(struct er_supervisor *s, const struct errand_worker_options *given,
                    struct errand_error *err);
/* Reads the clocks again: what happens in a callback happened now. */
void er_supervisor_now(struct er_supervisor *s);
/* Asks for a turn at this time at the latest. */
void er_supervisor_wake_at(struct er_supervisor *s, int64_t at_ms);

#endif
