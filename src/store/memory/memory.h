/* memory.h: what the files of the memory driver share: its objects and what they do to
 * each other.
 *
 * One store is one struct mem_store under one mutex; a call takes it for its whole length
 * (one call is one transaction). An operation allocates first and changes then, so that
 * running out of memory leaves the store as it was. Results are copied into the caller's
 * arena. */
#ifndef ER_STORE_MEMORY_H
#define ER_STORE_MEMORY_H

#include <pthread.h>

#include "base/arena.h"
#include "core/events.h"
#include "core/id.h"
#include "core/state.h"
#include "store/memory/tree.h"
#include "store/ops.h"

/* ------------------------------------------------------------------ objects */

struct mem_queue {
    struct er_node by_name;
    char *name;
    bool is_known; /* a job was stored or it was paused: until then nobody sees it */
    int64_t paused_until_ms;
    int64_t counts[ERRAND_STATES_N];
    struct er_tree ready;     /* jobs by priority, run-at, insertion */
    struct er_tree scheduled; /* jobs by run-at, insertion */
    struct er_tree hooks;     /* FAILED jobs whose hook is due, by end, insertion */
    struct er_list ended[ERRAND_STATES_N]; /* by state: by end, insertion */
};

/* A unique key that is held. `job` NULL: the job was pruned, its id stays. */
struct mem_claim {
    struct er_node by_key;
    struct errand_slice key;
    struct mem_job *job;
    struct errand_id id;
    int64_t until_ms; /* ERRAND_FOREVER: without end */
};

struct mem_use {
    char *name;
    struct errand_slice key;
    enum errand_limit_kind kind;
    int64_t n, per_ms;
};

/* An edge is OPEN until its parent has ended; AGAINST can become OPEN again, by a retry
 * of the parent. */
enum mem_edge_state { MEM_OPEN, MEM_SATISFIED, MEM_AGAINST };
struct mem_edge {
    struct er_link of_parent, of_child;
    struct mem_job *child, *parent; /* parent NULL: it is a batch */
    struct mem_batch *batch;
    enum errand_edge_on on;
    enum mem_edge_state state;
};

struct mem_attempt {
    struct er_link link;
    struct errand_attempt a; /* strings owned */
};

enum mem_hook { MEM_HOOK_NONE, MEM_HOOK_DUE, MEM_HOOK_LEASED };

struct mem_job {
    struct er_node by_id, by_seq;
    struct er_node in_line;  /* queue's ready, scheduled or hooks */
    struct er_link in_ended; /* queue's ended[state] */
    struct er_link in_lease; /* lease's jobs */
    struct er_link in_batch; /* batch's members */
    struct er_link in_running;
    struct er_link to_follow; /* the call's jobs with follow-ups to come */

    struct errand_id id;
    int64_t seq; /* order of insertion; also the key that is handed out */
    char *name;
    struct mem_queue *queue;
    struct errand_slice data, options, error, result;
    char **tags;
    size_t tags_n;
    struct mem_use *uses;
    size_t uses_n;

    enum errand_state state;
    int32_t priority, attempts, tries;
    int64_t run_at_ms, created_ms, finished_ms;
    bool has_failed_hook, has_parents, cancel_requested;
    enum mem_hook hook;

    bool is_unique;
    struct errand_slice unique_key;
    int64_t unique_ttl_ms;
    enum errand_unique_until unique_until;
    struct mem_claim *claim; /* the key, while it is held for this job */
    struct mem_claim *spare; /* an unlinked claim, so that claiming allocates nothing */

    struct mem_batch *batch;
    struct er_list parents, children; /* edges */
    size_t waits_n;                   /* parents that are not satisfied */
    struct mem_edge *against;         /* the edge whose parent's end cancelled it */

    struct mem_lease *lease; /* RUNNING, or its hook is leased */
    char *worker;            /* the last that had it */
    struct er_list attempts_kept;
    int32_t progress;
    struct errand_slice progress_note;
};

struct mem_lease {
    struct er_node by_token;
    int64_t token;
    char *worker;
    int64_t since_ms;
    int64_t until_ms; /* on the lease clock */
    struct er_list jobs;
};

struct mem_batch {
    struct er_node by_id, by_seq;
    struct er_link to_follow;
    struct errand_batch_info info; /* strings owned */
    int64_t seq;
    struct er_list members, children;
    bool is_reopened; /* in this call, children not told yet */
};

/* Starts under one name and key of a rate limit, oldest first. */
struct mem_starts {
    struct er_node by_key;
    char *name;
    struct errand_slice key;
    int64_t *at_ms;
    size_t n, size;
    int64_t longest_per_ms; /* how long a start matters to anybody */
};

struct mem_limit {
    struct er_node by_name;
    struct errand_limit limit; /* strings owned */
};

struct mem_events {
    struct errand_event *ring[ERRAND_EVENTS_KEPT]; /* by seq modulo; strings owned */
    int64_t last_seq;
    int64_t followed_until_ms;
};

struct mem_store {
    pthread_mutex_t lock;
    char *name; /* NULL: private */
    size_t refs;
    struct mem_store *next; /* of the named ones of this process */

    int64_t lease_offset_ms; /* lease clock = boot time + this */
    struct er_id_source ids;
    int64_t last_seq, last_token, control, identity;

    struct er_tree jobs_by_id, jobs_by_seq, queues, claims, leases, batches_by_id,
        batches_by_seq, limits, starts, locks, schedules, workers, definitions, stats;
    struct er_list running, conns;
    struct mem_events events;
};

struct mem_conn {
    struct errand_conn base;
    struct mem_store *store;
    struct er_link in_store;
    int fd; /* eventfd; -1 until somebody waits */
    uint32_t armed;
    int64_t keep_ms, keep_n; /* of COMPLETED jobs; negative: without limit */
};

/* ------------------------------------------------------------------ a call */

struct mem_moves {
    bool wanted;
    struct errand_move *rows;
    size_t n, size;
};

/* One operation on its way. */
struct mem_call {
    struct mem_conn *conn;
    struct mem_store *store;
    struct errand_arena *arena;
    int64_t now_ms, lease_now_ms; /* wall clock and lease clock */
    uint32_t wakes;               /* enum errand_wait_for */
    struct mem_moves moves;
    struct er_list jobs_to_follow, batches_to_follow;
};

/* Takes the store's lock and looks at the clock. Failpoint: "NAME-before-commit". */
int er_mem_begin(struct mem_call *call, struct errand_conn *conn, const char *name,
                 int64_t now_ms, struct errand_arena *arena, struct errand_error *err);
/* Wakes who has to be woken and lets go. After a change, rc >= 0. Failpoint:
 * "NAME-after-commit". */
int er_mem_end(struct mem_call *call, const char *name, int rc, struct errand_error *err);

/* ------------------------------------------------------------------ memory.c */

/* Own copies; NULL (ptr NULL) means no memory. */
char *er_mem_dup(const char *text);
int er_mem_slice_dup(struct errand_slice from, struct errand_slice *ret);
void er_mem_slice_free(struct errand_slice *slice);
int er_mem_slice_compare(struct errand_slice a, struct errand_slice b);
/* Copies into the call's arena; remember that no memory gives NULL. */
const char *er_mem_out(struct mem_call *call, const char *text);
int er_mem_slice_out(struct mem_call *call, struct errand_slice from,
                     struct errand_slice *ret);

/* ------------------------------------------------------------------ jobs.c */

struct mem_job *er_mem_job_find(const struct mem_store *store,
                                const struct errand_id *id);
void er_mem_job_free(struct mem_job *job);
void er_mem_asks_free(struct mem_job *job);
/* part of it: its key and its limits */ /* what hangs on nothing */
/* Takes it out of everything and frees it. A claim goes as well when `is_deleted`. */
void er_mem_job_drop(struct mem_call *call, struct mem_job *job, bool is_deleted);

/* A new job takes its place behind all others; its batch does not count it. */
void er_mem_job_add(struct mem_call *call, struct mem_job *job);
/* The first state of a job that was pushed; counts it in queue and batch. */
void er_mem_job_enter(struct mem_call *call, struct mem_job *job);
/* Moves a job by the table of core/state.h, with all that belongs to the job itself:
 * lines, counts, unique key, batch counts. Who waits for it is told by er_mem_follow. */
void er_mem_job_move(struct mem_call *call, struct mem_job *job, enum errand_state to,
                     enum er_event event);
/* A new run-at for a job that waits. */
void er_mem_job_put_off(struct mem_call *call, struct mem_job *job, int64_t run_at_ms);
void er_mem_job_reorder(struct mem_job *job, int32_t priority);
void er_mem_hook_due(struct mem_call *call, struct mem_job *job);
void er_mem_hook_clear(struct mem_call *call, struct mem_job *job);
void er_mem_attempt_add(struct mem_job *job, struct mem_attempt *attempt);
void er_mem_attempt_free(struct mem_attempt *attempt);

static inline bool er_mem_is_waiting(const struct mem_job *job)
{
    return job->state == ERRAND_HELD || job->state == ERRAND_SCHEDULED ||
           job->state == ERRAND_READY;
}

/* ------------------------------------------------------------------ queues.c */

struct mem_queue *er_mem_queue_find(const struct mem_store *store, const char *name);
struct mem_queue *er_mem_queue_make(struct mem_store *store, const char *name);
bool er_mem_queue_is_paused(const struct mem_queue *queue, int64_t now_ms);
void er_mem_queue_free(struct mem_queue *queue);

/* ------------------------------------------------------------------ claims.c */

/* Who holds the key now; NULL: nobody (a claim that is over is removed). */
struct mem_claim *er_mem_claim_find(struct mem_call *call, struct errand_slice key);
struct mem_claim *er_mem_claim_new(struct errand_slice key);
void er_mem_claim_free(struct mem_claim *claim);
/* The key of the job is its own from now on, with a fresh ttl; job->spare is used. */
void er_mem_claim_take(struct mem_call *call, struct mem_job *job);
void er_mem_claim_renew(struct mem_call *call, struct mem_job *job, int64_t ttl_ms);
void er_mem_claim_release(struct mem_store *store, struct mem_job *job);
/* For a job that comes back to life: false when another holds its key. */
bool er_mem_claim_again(struct mem_call *call, struct mem_job *job);

/* ------------------------------------------------------------------ push.c */

int er_mem_push(struct mem_call *call, const struct errand_push_params *p,
                struct errand_push_result *ret, struct errand_error *err);
uint32_t er_mem_hints(const struct mem_call *call);

/* ------------------------------------------------------------------ edges.c */

enum mem_edge_state er_mem_edge_by_job(enum errand_edge_on on, enum errand_state state);
enum mem_edge_state er_mem_edge_by_batch(enum errand_edge_on on,
                                         const struct errand_batch_info *batch);
void er_mem_edge_attach(struct mem_edge *edge);
void er_mem_edge_free(struct mem_edge *edge);
/* Tells those who wait for the jobs and batches that ended or opened again in this call,
 * and those who wait for them, and so on, until there is nobody left to tell. */
void er_mem_follow(struct mem_call *call);

/* ------------------------------------------------------------------ batches.c */

struct mem_batch *er_mem_batch_find(const struct mem_store *store,
                                    const struct errand_id *id);
struct mem_batch *er_mem_batch_new(const struct errand_push_batch *from);
void er_mem_batch_add(struct mem_call *call, struct mem_batch *batch); /* as it is */
void er_mem_batch_insert(struct mem_call *call, struct mem_batch *batch);
void er_mem_batch_free(struct mem_batch *batch);
void er_mem_batch_drop(struct mem_store *store, struct mem_batch *batch);
/* A member moves: the counts follow. */
void er_mem_batch_count(struct mem_call *call, struct mem_job *job, int from, int to);

/* ------------------------------------------------------------------ events.c */

/* A row of the ring while somebody follows. */
void er_mem_tell(struct mem_call *call, const struct errand_event *event);
void er_mem_tell_job(struct mem_call *call, const struct mem_job *job, enum er_told told,
                     struct errand_slice error);

/* ------------------------------------------------------------------ moves.c */

void er_mem_move_add(struct mem_call *call, const struct mem_job *job,
                     enum errand_state from);

/* ------------------------------------------------------------------ settle.c, reserve.c
 */

struct mem_attempt *er_mem_attempt_new(const struct errand_outcome *outcome);
void er_mem_reserve(struct mem_call *call, const struct errand_exchange_params *p,
                    struct errand_exchange_result *ret);

/* ------------------------------------------------------------------ schedules.c */

struct mem_schedule;
struct mem_schedule *er_mem_schedule_new(const struct errand_schedule *from);
void er_mem_schedule_free(struct mem_schedule *schedule); /* NULL allowed */
/* In place of one of that name whose last slot is not later: true, it is the store's. */
bool er_mem_schedule_load(struct mem_call *call, struct mem_schedule *schedule);

/* ------------------------------------------------------------------ limits.c */

/* May the job start now? If not, `ret_at_ms` is when it may, 0 when only an end of
 * another job can tell. */
bool er_mem_limits_allow(struct mem_call *call, const struct mem_job *job,
                         int64_t *ret_at_ms);
/* Notes that it starts. -1: no memory, nothing was noted. */
int er_mem_limits_start(struct mem_call *call, const struct mem_job *job);
void er_mem_starts_forget(struct mem_call *call); /* those that matter to nobody */

/* ------------------------------------------------------------------ filter.c */

bool er_mem_filter_matches(const struct errand_filter *filter, const struct mem_job *job);

/* ------------------------------------------------------------------ what frees the rest
 */

void er_mem_limits_free(struct mem_store *store);
void er_mem_locks_free(struct mem_store *store);
void er_mem_schedules_free(struct mem_store *store);
void er_mem_workers_free(struct mem_store *store);
void er_mem_definitions_free(struct mem_store *store);
void er_mem_events_free(struct mem_store *store);
void er_mem_stats_free(struct mem_store *store);
void er_mem_stats_forget(struct mem_store *store, int64_t before_ms);

/* Sets up the trees that belong to a file. */
void er_mem_jobs_init(struct mem_store *store);
void er_mem_queues_init(struct mem_store *store);
void er_mem_claims_init(struct mem_store *store);
void er_mem_batches_init(struct mem_store *store);
void er_mem_limits_init(struct mem_store *store);
void er_mem_locks_init(struct mem_store *store);
void er_mem_schedules_init(struct mem_store *store);
void er_mem_workers_init(struct mem_store *store);
void er_mem_definitions_init(struct mem_store *store);
void er_mem_stats_init(struct mem_store *store);

/* ------------------------------------------------------------------ the operations */

ER_STORE_OPS(er_mem_op_);

#endif
