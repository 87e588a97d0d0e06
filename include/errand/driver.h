/* driver.h: what a store must do. For those who write a store; applications include
 * errand.h.
 *
 * The memory driver (src/store/memory) is the executable specification,
 * tests/store/conformance the claims. Rules for every operation:
 *
 * (a) One call is one transaction: after an error nothing has changed.
 * (b) `now_ms` 0 means the store's own clock; tests pass a time. Lease time must be a
 *     clock that a step of the wall clock cannot move; run-at is wall-clock time. A
 *     given `now_ms` stands for both.
 * (c) Settle, extend and progress act only where the job is RUNNING under that token,
 *     else that item answers LOST and the rest goes on. A repeated settle is harmless.
 * (d) Batches in, batches out, results in the order of the input.
 * (e) Order inside a queue: priority (smaller first), then run-at, then order of
 *     insertion.
 * (f) Whoever makes a job READY wakes waiters after the commit.
 * (g) What may work later (busy, unavailable, full) has `retryable` set in the error.
 * (h) Handles used after fork, sizes, names, JSON, cycles among edges: checked once
 *     above the drivers (store.c).
 * (i) Results live in the arena the caller passes; `ret` is written only on success and
 *     starts zeroed.
 * (j) Strings are UTF-8; `const char *` inputs are NUL-terminated and never NULL unless
 *     said; payloads, errors, logs and results are bytes and may hold anything. Times
 *     are milliseconds since 1970 UTC. The struct of functions grows at its end only.
 * (k) A job that becomes SCHEDULED wakes waiters too: the sleeper's next_at_ms may now
 *     be too late. So does what frees a place under a limit, ends a pause or makes a
 *     hook due.
 * (l) While somebody follows (events_read), a call also adds the events of what it
 *     changes, in the same transaction, a cause before its effects, which have no order
 *     among themselves: core/events.h has them. Nobody else adds those; the worker adds
 * job:started and job:timed-out, before it settles, and the scheduler schedule:…. While
 * nobody follows, none is written.
 * (m) A store has an identity, made with it: another number wherever it is emptied,
 * replaced or made anew under open connections, which then serve the new store. A token
 * is larger than any of the store before, so what was reserved there is LOST here. While
 * there is no store at all, calls are EUNAVAILABLE and nobody but `open` makes one. */
#ifndef ERRAND_DRIVER_H
#define ERRAND_DRIVER_H

#include "errand/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ERRAND_DRIVER_VERSION = 1 };

struct errand_arena; /* memory that is freed all at once */
/* Zeroed memory aligned for any object, or NULL. */
ERRAND_API void *errand_arena_alloc(struct errand_arena *arena, size_t size);
/* A copy with a NUL after it, or NULL. */
ERRAND_API char *errand_arena_copy(struct errand_arena *arena, const void *ptr,
                                   size_t len);

#define ERRAND_FOREVER INT64_MAX

enum errand_capability {
    ERRAND_CAP_TRANSACTION = 1 << 0, /* push inside the caller's own transaction */
    ERRAND_CAP_SHARED = 1 << 1,      /* other processes see the same jobs */
    ERRAND_CAP_DURABLE = 1 << 2,     /* survives the end of the process */
};

/* A connection. A driver's own struct starts with this one. */
struct errand_conn {
    const struct errand_driver *driver;
};

/* ------------------------------------------------------------------ open, migrate */

enum errand_durable {
    ERRAND_DURABLE_NORMAL = 0, /* survives the kill of any process */
    ERRAND_DURABLE_FULL = 1,   /* survives loss of power */
};

struct errand_open_params {
    /* whole, with scheme; may hold a password: never put it in a message (see `shown`) */
    const char *url;
    const char *shown; /* the same without secrets, for messages */
    enum errand_durable durable;
    /* make the store and raise its schema when needed; else a missing store is
     * ENOTFOUND */
    bool create;
    bool read_only;
    bool force;      /* accept what is refused otherwise, such as a network file system */
    int64_t busy_ms; /* how long a call may wait for another writer; 0: 30,000 */
    /* history: age and number a queue; negative: without limit, 0: none */
    int64_t keep_completed_ms;
    int64_t keep_completed_n;
};

struct errand_migrate_result {
    int schema_found; /* 0: none yet */
    int schema_wanted;
};

/* ------------------------------------------------------------------ run-at
 *
 * A job's run_at_ms is the moment from which it may run: the time asked for, or the
 * moment it was pushed, released by its parents, retried by the operator or told to run
 * now, whichever is later. A hand-back and a lease that ran out keep it (the old place).
 * Where a new run-at is given to a waiting job (replace, extend, edit), the past and 0
 * mean now; a HELD job stays HELD, any other becomes SCHEDULED or READY by it.
 *
 * SCHEDULED turns READY in the exchange that wants jobs (max > 0), before it picks: all
 * jobs that are due on the queues it reserves from, paused or not, in order of run-at and
 * insertion; a driver may stop after 1,000 or more and answer next_at_ms = now. Those
 * who look (get, list, count, queues) see the state as stored. */

/* ------------------------------------------------------------------ push */

enum errand_limit_kind {
    ERRAND_LIMIT_RATE = 0,        /* at most n starts in any window of per_ms */
    ERRAND_LIMIT_CONCURRENCY = 1, /* at most n RUNNING */
};

/* A limit that a job brings along. Jobs with the same name and key share it. When a limit
 * of that name is set in the store (limit_put), its numbers are used in place of those
 * here. A READY job at its limit is passed over by reserve, stays READY, keeps its place
 * among the jobs of that key, and never holds back another key. */
struct errand_limit_use {
    const char *name;
    struct errand_slice key;
    enum errand_limit_kind kind;
    int64_t n;
    int64_t per_ms;
};

/* Claimed by the push that inserts. Free again at the end of the ttl, and with DONE when
 * the job is final, with STARTED when an attempt is reserved; snooze, hand-back and retry
 * by the worker do not claim it again. Deleting the job frees it; pruning the job does
 * not (a duplicate of a pruned job answers COMPLETED). REPLACE and EXTEND act on a holder
 * that is HELD, SCHEDULED or READY and start the ttl anew; with a holder that runs or has
 * ended they answer DUPLICATE. The operator's retry claims a DONE or STARTED key again,
 * with a fresh ttl, or answers KEY_TAKEN. */
struct errand_unique {
    struct errand_slice key; /* shared by all jobs of the store, whatever their name */
    int64_t ttl_ms;          /* 0: without end (not with ERRAND_UNIQUE_TTL) */
    enum errand_unique_until until;
    enum errand_unique_policy policy;
};

struct errand_push_job {
    /* empty: the store makes one. A known id inserts nothing and answers DUPLICATE */
    struct errand_id id;
    const char *name, *queue;
    struct errand_slice data;    /* the payload, kept byte for byte */
    struct errand_slice options; /* opaque to the store, handed back at reserve and get */
    const char *const *tags;
    size_t tags_n;
    int32_t priority;
    int32_t tries;                      /* attempts allowed, >= 1: reap needs it */
    int64_t run_at_ms;                  /* 0 or past: now */
    const struct errand_unique *unique; /* NULL: none */
    const struct errand_limit_use *limits;
    size_t limits_n;
    /* member of this batch, which exists or is made by this push */
    struct errand_id batch;
    bool has_failed_hook; /* reap to FAILED makes the hook due */
};

/* When a waiting job is let go. The parent is a job or a whole batch. */
enum errand_edge_on {
    ERRAND_ON_SUCCESS = 0, /* COMPLETED; a batch: ended with all members COMPLETED */
    ERRAND_ON_FAILURE = 1, /* FAILED; a batch: ended with a member FAILED or CANCELLED */
    ERRAND_ON_END = 2,     /* any final state */
};

/* `child` waits for `parent`. A child whose every edge is satisfied becomes READY or
 * SCHEDULED; one whose edge can no longer be satisfied becomes CANCELLED, and so on down
 * the graph, in the same transaction. A parent that is final already counts at once; one
 * that does not exist (any more) is ENOTFOUND. An edge that has been decided stays so,
 * with one exception: a job that was CANCELLED because of this parent is HELD again when
 * the parent is retried by the operator (a batch: when a member of it is), unless another
 * parent stands against it; when its unique key is taken, it stays CANCELLED for good.
 * Retention knows no edges: the result of a parent that was pruned is gone. */
struct errand_edge {
    size_t child;  /* index in this push */
    size_t parent; /* index in this push, when parent_id is empty */
    /* a job or batch that exists, or the batch that this push makes */
    struct errand_id parent_id;
    bool parent_is_batch;
    enum errand_edge_on on;
};

/* A batch ends when none of its members is unfinished at the end of a call; one without
 * members ends at once. Then ended_ms is set and its edges are decided, once. Members
 * pushed to a batch that has ended are ECONFLICT, to one that is `cancelled` they are
 * CANCELLED at once. A retried member opens the batch again: the counts follow,
 * `cancelled` is cleared, and what the end had released is not released again. A batch
 * whose id exists is taken as it is, so that the push can be repeated. What follows from
 * the end of a member: first its own edges, then the members that wait are cancelled (all
 * of them before the edges of any), then the end of the batch. */
struct errand_push_batch {
    struct errand_id id; /* made above the driver; never empty */
    const char *name;    /* "" for none */
    /* false: a FAILED member cancels those that wait (HELD, SCHEDULED, READY) and makes
     * the batch `cancelled` */
    bool allow_failures;
    struct errand_slice options; /* opaque */
};

enum errand_pushed {
    ERRAND_INSERTED = 0,
    ERRAND_DUPLICATE = 1, /* id or unique key is taken; `id` is the one that holds it */
    ERRAND_REPLACED = 2,
    ERRAND_EXTENDED = 3,
};

/* All or nothing; a duplicate is an answer, not an error. The id is looked at first, then
 * the unique key; a job may be the duplicate of one before it in the same push. An edge
 * to a parent that is a duplicate means the job that holds the id; an edge whose child
 * is one adds nothing: the holder keeps the edges it came with. Members that are
 * duplicates do not count in the batch. */
struct errand_push_params {
    int64_t now_ms;
    const struct errand_push_job *jobs;
    size_t jobs_n;
    const struct errand_edge *edges;
    size_t edges_n;
    const struct errand_push_batch *batch; /* NULL: none is made */
    /* the caller's own connection (sqlite3 *, PGconn *) with a transaction open, or
     * NULL */
    void *transaction;
};

struct errand_pushed_job {
    enum errand_pushed pushed;
    struct errand_id id;
    enum errand_state state; /* what it is now */
};

enum errand_hint {
    ERRAND_HINT_EVENTS = 1 << 0, /* somebody follows the events */
};

struct errand_push_result {
    struct errand_pushed_job *jobs; /* jobs_n of them */
    uint32_t hints;
};

/* ------------------------------------------------------------------ exchange: settle and
 * reserve */

enum errand_outcome_kind {
    ERRAND_OUT_DONE = 0,
    ERRAND_OUT_RETRY = 1,     /* SCHEDULED at run_at_ms; the attempt counts */
    ERRAND_OUT_FAIL = 2,      /* FAILED */
    ERRAND_OUT_SNOOZE = 3,    /* SCHEDULED at run_at_ms; the attempt is given back */
    ERRAND_OUT_HAND_BACK = 4, /* READY at its old place; the attempt is given back */
    ERRAND_OUT_CANCELLED = 5,
    ERRAND_OUT_HOOK_DONE = 6, /* settles a reserved hook (ERRAND_WORK_FAILED_HOOK) */
    /* the job has to have a key or limits that it was pushed without: as HAND_BACK, and
     * from now on as if it had been pushed with them; what it has of either kind stays.
     * When another job holds the key it is a duplicate and COMPLETED with the result:
     * answers SETTLED_DUPLICATE */
    ERRAND_OUT_LIMIT = 7,
};

/* Why an attempt ended, as the supervisor saw it. */
enum errand_cause {
    ERRAND_CAUSE_NONE = 0,   /* the handler said so */
    ERRAND_CAUSE_ERROR = 1,  /* the handler reported an error */
    ERRAND_CAUSE_EXIT = 2,   /* the process exited without an answer: exit_code */
    ERRAND_CAUSE_SIGNAL = 3, /* killed by a signal we did not send: signal */
    ERRAND_CAUSE_MEMORY = 4, /* out of memory */
    ERRAND_CAUSE_TIMEOUT = 5,
    ERRAND_CAUSE_CANCEL = 6,
    ERRAND_CAUSE_LEASE = 7, /* the lease ran out; nobody knows what became of it */
    /* could not be started: no such job, it does not compile, … */
    ERRAND_CAUSE_START = 8,
    ERRAND_CAUSE_PROTOCOL = 9, /* the runner broke the protocol */
};

struct errand_outcome {
    int64_t token;
    int64_t key;         /* as reserved: the driver's own way to find the row; 0: by id */
    struct errand_id id; /* as reserved */
    enum errand_outcome_kind kind;
    int64_t run_at_ms; /* RETRY, SNOOZE; 0: now */
    int64_t started_ms, ended_ms;
    struct errand_slice error;  /* RETRY, FAIL */
    struct errand_slice log;    /* of this attempt, bounded by the caller */
    struct errand_slice result; /* DONE; LIMIT: of a duplicate */
    enum errand_cause cause;
    int32_t exit_code, signal;
    int64_t max_rss_kib, cpu_ms; /* 0: not known */
    /* FAIL: the job has a `failed` hook that must run: reserve hands it out, see
     * errand_work_kind */
    bool hook_due;
    /* as reserved, for the event that tells of it; name NULL: it is not told */
    const char *name, *queue;
    int32_t attempt;
    /* LIMIT */
    const struct errand_unique *unique; /* NULL: none; its policy is IGNORE */
    const struct errand_limit_use *limits;
    size_t limits_n;
};

enum errand_settled {
    ERRAND_SETTLED = 0,
    ERRAND_LOST = 1, /* not RUNNING under that token; nothing was changed */
    ERRAND_SETTLED_DUPLICATE = 2,
};

/* A lease covers all jobs of one reserve: one token, larger than any given before, one
 * end. It lasts until its last job is settled, or reaped: what comes after its end but
 * before the reap still counts.
 *
 * RETRY, SNOOZE, HAND_BACK and LIMIT of a job that somebody has cancelled make it
 * CANCELLED (and a move). DONE clears the job's error; RETRY, FAIL and a lease that ran
 * out set it. A COMPLETED job past keep_completed_n of its queue, or all with 0, may be
 * dropped in the same call; prune does it exactly. */
struct errand_exchange_params {
    int64_t now_ms;
    const struct errand_outcome *outcomes; /* settled first */
    size_t outcomes_n;
    /* reserve from these, strictly in this order; none given: from all, as one line */
    const char *const *queues;
    size_t queues_n;
    size_t max; /* reserve at most this many; 0: only settle */
    int64_t lease_ms;
    const char *worker; /* whose lease; never "" when max > 0 */
    bool want_moves;    /* fill ret->moves */
};

/* A FAILED job whose hook is due is handed out once more, for the hook alone; it stays
 * FAILED. Its lease ends with ERRAND_OUT_HOOK_DONE; a lease that runs out makes it due
 * again. Hooks come before jobs, by the time of failure and then insertion, on the queues
 * asked for, and are under no limit. The operator's retry withdraws one that has not been
 * handed out. */
enum errand_work_kind {
    ERRAND_WORK_JOB = 0,
    ERRAND_WORK_FAILED_HOOK = 1,
};

struct errand_reserved {
    enum errand_work_kind kind;
    int64_t token, key;
    struct errand_id id;
    const char *name, *queue;
    struct errand_slice data, options;
    /* FAILED_HOOK: the error it failed with, and when: what tells this failure from one
     * before the operator's retry */
    struct errand_slice error;
    int64_t failed_ms;
    int32_t attempt; /* 1 for the first */
    int32_t tries, priority;
    int64_t run_at_ms, created_ms;
    struct errand_id batch;
    bool has_parents;           /* it waited for others: their results are in get() */
    bool is_unique, has_limits; /* was pushed with a key, with limits of its own */
};

/* A change of state that followed from the call, in order; `from` == `to` for a fresh
 * push. */
struct errand_move {
    struct errand_id id;
    const char *name, *queue;
    enum errand_state from, to;
    int32_t attempt;
};

struct errand_exchange_result {
    enum errand_settled *settled; /* outcomes_n of them */
    struct errand_reserved *jobs;
    size_t jobs_n;
    int64_t token; /* of the new lease; 0 when nothing was reserved */
    int64_t lease_until_ms;
    /* when to look again without a wake-up: now when `max` was reached, else the earliest
     * run-at on the queues asked for that are not paused, end of a pause, or moment when
     * a rate limit lets a job go that was passed over; 0: nothing is known to come. For a
     * job that several limits hold back a driver may name an earlier moment (a look in
     * vain), never a later one */
    int64_t next_at_ms;
    /* grows when a command or a cancel for some worker was written: call extend and
     * beat */
    int64_t control;
    uint32_t hints;
    /* jobs changed beside the settled ones: released and cancelled followers; a cause
     * comes before its effect */
    struct errand_move *moves;
    size_t moves_n;
};

/* ------------------------------------------------------------------ leases */

struct errand_progress {
    int64_t token, key;
    struct errand_id id;
    int32_t percent; /* 0 to 100 */
    struct errand_slice note;
};

struct errand_extend_params {
    int64_t now_ms;
    const int64_t *tokens;
    size_t tokens_n;
    int64_t lease_ms; /* from now */
    const struct errand_progress *progress;
    size_t progress_n;
};

struct errand_lease_job {
    int64_t token, key;
    struct errand_id id;
};

struct errand_extend_result {
    int64_t until_ms;
    enum errand_settled *leases;   /* tokens_n: SETTLED or LOST */
    enum errand_settled *progress; /* progress_n */
    /* jobs of these leases that somebody wants stopped */
    struct errand_lease_job *cancelled;
    size_t cancelled_n;
};

/* Jobs whose lease is over (until <= now): READY again at their old place, FAILED when
 * attempt >= tries, CANCELLED when somebody has cancelled them; with the follow-ups of
 * settle and an attempt of cause LEASE (outcome RETRY, FAIL or CANCELLED) whose error is
 * ERRAND_LEASE_ERROR. Oldest lease first, jobs in the order they were reserved. */
#define ERRAND_LEASE_ERROR "the lease ran out: its worker died or was cut off"

struct errand_reap_params {
    int64_t now_ms;
    size_t max;
    bool want_moves;
    /* whatever its push said, a job that becomes FAILED here has its hook due: the worker
     * that reaps has something to do after each failure */
    bool all_hooks;
};

struct errand_reap_result {
    size_t ready_n, failed_n, cancelled_n, hooks_n;
    bool more;                 /* max was reached */
    struct errand_move *moves; /* the reaped jobs as well */
    size_t moves_n;
};

/* ------------------------------------------------------------------ operator */

/* All that is set must match. */
struct errand_filter {
    uint32_t states;                /* bits 1 << state; 0: any */
    const char *queue, *name, *tag; /* exact; NULL: any */
    struct errand_id batch;
    const char *search; /* bytes that occur in the id, the data or the error; NULL: any */
    /* created at or after, before; 0: any. FAILED and CANCELLED: ended at */
    int64_t since_ms, until_ms;
};

/* With ids, each is looked at in turn, as if it were alone. With a filter, only jobs in a
 * state that the change can act on match; those are collected first, and one that a
 * follow-up of this call brings to the wanted state before its turn counts as changed.
 * RETRY sets run-at to now, clears the job's error, waives edges that stand against the
 * job and makes it HELD when another parent has not ended. DELETE takes the job's edges
 * along. EDIT of run-at means nothing to a job that has ended. */

enum errand_change_kind {
    /* HELD, SCHEDULED, READY: CANCELLED at once; RUNNING: flagged, see extend (a filter
     * skips the flagged) */
    ERRAND_CHANGE_CANCEL = 0,
    /* FAILED, CANCELLED: READY with attempts 0; what it had made CANCELLED is HELD
     * again */
    ERRAND_CHANGE_RETRY = 1,
    /* any but RUNNING; one that has not ended is cancelled first */
    ERRAND_CHANGE_DELETE = 2,
    ERRAND_CHANGE_RUN_NOW = 3, /* SCHEDULED: READY */
    ERRAND_CHANGE_EDIT = 4,    /* any but RUNNING and COMPLETED */
    /* any but RUNNING, by ids only: it lives in another store now (see load). Gone with
     * all that is beside it, and nothing follows or is told: who waits for it goes on
     * waiting, the counts of its batch stay, and the batch goes with the last of its jobs
     * that is here */
    ERRAND_CHANGE_MOVED = 5,
};

enum errand_changed {
    ERRAND_CHANGED = 0,
    ERRAND_NO_SUCH_JOB = 1,
    ERRAND_WRONG_STATE = 2,
    ERRAND_KEY_TAKEN = 3, /* retry: another job holds its unique key now */
};

struct errand_edit {
    const struct errand_slice *data, *options; /* NULL: keep */
    const int32_t *priority, *tries;
    const int64_t *run_at_ms;
};

struct errand_change_params {
    int64_t now_ms;
    enum errand_change_kind kind;
    /* these, or (ids_n 0) all that match the filter when the call begins */
    const struct errand_id *ids;
    size_t ids_n;
    const struct errand_filter *filter;
    /* with a filter: change at most this many a call, in order of insertion; 0: all;
     * EDIT: must be 0 */
    size_t max;
    const struct errand_edit *edit;
    bool want_moves;
};

struct errand_change_result {
    enum errand_changed *changed; /* ids_n of them; NULL with a filter */
    size_t matched_n, changed_n;  /* looked at, changed */
    bool more;                    /* max was reached: call again */
    struct errand_move *moves;    /* the changed jobs as well */
    size_t moves_n;
};

struct errand_prune_params {
    int64_t now_ms;
    /* per final state (the others are ignored): ended age or longer ago goes, and per
     * queue the excess over keep, oldest first (by end, then insertion); negative: keep.
     * The caps that the store was opened with (keep_completed_…) are applied as well.
     * Also goes, not counted: a batch that has ended so long ago as age_ms[COMPLETED] and
     * has no job left, stats of more than ERRAND_STATS_KEPT_MS ago. */
    int64_t age_ms[ERRAND_STATES_N];
    int64_t keep_n[ERRAND_STATES_N];
    size_t max;
};

/* ------------------------------------------------------------------ look */

struct errand_job_info {
    int64_t key;
    struct errand_id id;
    const char *name, *queue;
    const char *worker; /* who has the lease; not RUNNING: the last one, or "" */
    enum errand_state state;
    int32_t priority, attempts, tries;
    int64_t run_at_ms, created_ms;
    /* RUNNING: when reserved; else of the last attempt listed, 0 when attempts is 0 */
    int64_t started_ms;
    int64_t finished_ms; /* when it became final; 0: not yet */
    struct errand_slice data, options, error, result;
    const char *const *tags;
    size_t tags_n;
    struct errand_id batch;
    int32_t progress; /* of this attempt; -1: none */
    struct errand_slice progress_note;
    bool cancel_requested;
    size_t waits_n; /* edges not yet satisfied */
};

/* One attempt that counted (DONE, RETRY, FAIL, CANCELLED, lease over; not SNOOZE and
 * HAND_BACK). The last ERRAND_ATTEMPTS_KEPT are kept. Of a DONE attempt a driver may drop
 * worker, max_rss_kib and cpu_ms. started_ms 0 in the outcome: when reserved; ended_ms 0:
 * now. */
enum { ERRAND_ATTEMPTS_KEPT = 100 };
struct errand_attempt {
    /* from 1; a retry by the operator starts again at 1 and keeps the old ones */
    int32_t n;
    int64_t started_ms, ended_ms;
    const char *worker;
    enum errand_outcome_kind outcome;
    enum errand_cause cause;
    int32_t exit_code, signal;
    int64_t max_rss_kib, cpu_ms;
    struct errand_slice error, log;
};

struct errand_edge_info {
    struct errand_id id; /* the other end */
    bool is_batch, is_satisfied;
    enum errand_edge_on on;
    enum errand_state state;    /* of the job at the other end */
    struct errand_slice result; /* of a parent that is COMPLETED */
    const char *name;           /* of the job; "" for a batch */
    /* of a parent: its end is what made the job CANCELLED, so its retry brings it back */
    bool has_cancelled;
};

struct errand_job_detail {
    struct errand_job_info job;
    struct errand_attempt *attempts; /* oldest first */
    size_t attempts_n;
    struct errand_edge_info *parents, *children;
    size_t parents_n, children_n;
    const struct errand_unique *unique; /* NULL: none; its policy is not kept */
    int64_t unique_until_ms; /* it holds the key until then; 0: not, or no more */
    /* what it brought along; of a COMPLETED job a driver may have dropped them */
    const struct errand_limit_use *limits;
    size_t limits_n;
    bool has_failed_hook, is_hook_due;
};

/* Several jobs as get shows each, no id twice. A driver may stop when what it has read
 * has more than max_bytes (of data, options, results, errors and logs; 0: no bound), but
 * not before the first. */
struct errand_details_params {
    int64_t now_ms;
    const struct errand_id *ids;
    size_t ids_n;
    size_t max_bytes;
};

struct errand_details_result {
    /* of the first details_n ids, in their order; job.id empty: there is no such job */
    struct errand_job_detail *details;
    size_t details_n;
};

struct errand_list_params {
    int64_t now_ms;
    struct errand_filter filter;
    /* keyset cursor: the last id of the page before; one that is gone is ENOTFOUND */
    struct errand_id after;
    bool newest_first; /* else in order of insertion */
    size_t max;
    bool with_data; /* else data, options and result are left empty */
};

struct errand_list_result {
    struct errand_job_info *jobs;
    size_t jobs_n;
    bool more;
};

struct errand_queue_info {
    const char *name;
    /* as kept in the store, O(1) in the number of jobs */
    int64_t counts[ERRAND_STATES_N];
    int64_t paused_until_ms; /* 0: not paused; ERRAND_FOREVER */
    int64_t oldest_ready_ms; /* since when its oldest READY job may run; 0: none */
};

struct errand_queues_result {
    struct errand_queue_info *queues; /* by name */
    size_t queues_n;
};

/* ------------------------------------------------------------------ limits, locks */

enum errand_limit_scope {
    ERRAND_SCOPE_QUEUE = 0, /* all jobs of the queue `target` */
    /* all jobs whose name is `target`, in any spelling: without case and - _ . : / */
    ERRAND_SCOPE_JOB = 1,
    /* jobs that bring a limit of this name, each key by itself; `target` is a key
     * template */
    ERRAND_SCOPE_KEY = 2,
};

/* QUEUE and JOB limits have one key, "". A start stays a start when the attempt is given
 * back. Jobs that bring different numbers for one name and key are each held to their
 * own, and the starts are shared, with rate_take as well. Setting a limit again replaces
 * its numbers and keeps its starts; so does deleting it. */
struct errand_limit {
    const char *name;
    enum errand_limit_kind kind;
    enum errand_limit_scope scope;
    const char *target;
    int64_t n, per_ms;
};

struct errand_limit_info {
    struct errand_limit limit;
    /* RUNNING, or starts in the window (now - per_ms, now]; of the fullest key */
    int64_t used;
    int64_t waiting; /* READY jobs known to be held back */
};

struct errand_limits_result {
    struct errand_limit_info *limits; /* by name */
    size_t limits_n;
};

struct errand_rate_params {
    int64_t now_ms;
    const char *name;
    struct errand_slice key;
    int64_t n, per_ms;
    int64_t take; /* usually 1 */
};

struct errand_rate_result {
    bool allowed;        /* false: nothing was consumed */
    int64_t retry_at_ms; /* when it may be allowed */
};

/* lock: free or over, or the same owner (who keeps token and gets the new end). unlock:
 * owner and token must be the holder's and the lock not over, else ECONFLICT. */
struct errand_lock_params {
    int64_t now_ms;
    struct errand_slice key;
    const char *owner;
    int64_t ttl_ms;
    int64_t token; /* unlock: as given by lock */
};

struct errand_lock_result {
    int64_t token;     /* 0: somebody else has it */
    int64_t until_ms;  /* of the holder */
    const char *owner; /* the holder */
};

/* ------------------------------------------------------------------ batches */

struct errand_batch_info {
    struct errand_id id;
    const char *name;
    bool allow_failures, cancelled;
    int64_t total, pending, failed, cancelled_n; /* COMPLETED is the rest */
    int64_t created_ms, ended_ms; /* ended_ms 0: members are still to come to an end */
    struct errand_slice options;
};

/* ------------------------------------------------------------------ schedules */

/* Putting one again replaces spec and next_ms and keeps the rest. */
struct errand_schedule {
    const char *name;
    struct errand_slice spec; /* JSON, opaque to the store */
    bool paused;              /* as it starts; then see schedule_pause */
    int64_t next_ms;          /* a cache for lists */
    int64_t last_slot_ms; /* list only: last slot that fired or was recorded; 0: none */
    struct errand_id last_job; /* list only */
    int64_t missed_n;          /* list only: slots recorded without a job, ever */
};

struct errand_schedules_result {
    struct errand_schedule *schedules; /* by name */
    size_t schedules_n;
    int64_t identity; /* as in errand_beat_result */
};

enum errand_overlap {
    ERRAND_OVERLAP_SKIP = 0, /* no job while the one of an earlier slot is not final */
    ERRAND_OVERLAP_ALLOW = 1,
    /* at most one that waits: the last one is RUNNING or final */
    ERRAND_OVERLAP_ONE_WAITING = 2,
};

enum errand_fired {
    ERRAND_FIRED = 0,
    ERRAND_FIRED_ALREADY = 1,  /* this slot or a later one is recorded */
    ERRAND_FIRED_SKIPPED = 2,  /* overlap, or paused: recorded without a job */
    ERRAND_FIRED_RECORDED = 3, /* `job` was NULL: a missed slot */
};

struct errand_fire_params {
    int64_t now_ms;
    const char *name; /* ENOTFOUND when there is no such schedule */
    int64_t slot_ms;
    int64_t next_ms;
    enum errand_overlap overlap;
    /* NULL: only record the slot. A duplicate is FIRED too, and is the last job from then
     * on */
    const struct errand_push_job *job;
    /* `job` NULL: how many slots are recorded with it, this one and those before it that
     * were not. 0: one */
    int64_t slots_n;
};

struct errand_fire_result {
    enum errand_fired fired;
    struct errand_pushed_job pushed;
    uint32_t hints;
};

/* ------------------------------------------------------------------ workers */

struct errand_beat_params {
    int64_t now_ms;
    const char *worker;
    struct errand_slice info; /* JSON: host, pid, queues, names, runners, current jobs */
    int64_t ttl_ms;           /* counted as alive so long */
    bool bye;                 /* remove it */
};

/* A beat after `bye` or after an hour of silence is a new worker. Commands go to living
 * workers only; those that were not fetched are dropped with the worker. */
enum errand_command {
    ERRAND_COMMAND_QUIET = 1,  /* stop reserving */
    ERRAND_COMMAND_RESUME = 2, /* reserve again */
    ERRAND_COMMAND_STOP = 3,   /* as TERM */
};

struct errand_beat_result {
    enum errand_command *commands; /* oldest first; each is handed out once */
    size_t commands_n;
    int64_t control;  /* as in errand_exchange_result */
    int64_t identity; /* of the store; 0: the driver does not tell */
};

struct errand_worker_info {
    const char *worker;
    struct errand_slice info;
    int64_t since_ms, seen_ms, until_ms;
    bool is_alive;
    size_t running_n; /* jobs and hooks under its leases */
};

struct errand_workers_result {
    struct errand_worker_info *workers; /* by id; dead ones are kept for an hour */
    size_t workers_n;
};

/* ------------------------------------------------------------------ definitions, events,
 * stats */

/* What the owner of a job says about it, for dispatchers elsewhere. */
struct errand_definition {
    const char *name;         /* as the owner writes it */
    const char *key;          /* without case and separators: er_name_key() */
    struct errand_slice spec; /* JSON */
    int64_t updated_ms;
};

struct errand_definitions_result {
    struct errand_definition *definitions; /* by key */
    size_t definitions_n;
};

struct errand_event {
    int64_t seq; /* grows by one; read only */
    int64_t at_ms;
    const char *type; /* "job:completed" */
    struct errand_id id;
    const char *name, *queue;
    int32_t attempt;
    int64_t duration_ms, delay_ms; /* -1: does not apply */
    struct errand_slice error;
};

struct errand_events_params {
    int64_t now_ms;
    int64_t after; /* seq; -1: only what comes from now on */
    size_t max;
    /* > 0: say so long that somebody follows (ERRAND_HINT_EVENTS). A driver may renew
     * that lazily, while more than half is left */
    int64_t follow_ms;
};

struct errand_events_result {
    struct errand_event *events;
    size_t events_n;
    int64_t last; /* pass as `after` next time: the last of these, else the newest */
    /* the ring has dropped some between `after` and the first of these, or `after` is of
     * another ring (larger than the newest) */
    bool fell_behind;
};

enum { ERRAND_EVENTS_KEPT = 10000, ERRAND_HISTOGRAM_N = 24 };
#define ERRAND_STATS_KEPT_MS INT64_C(2592000000) /* 30 days */

/* One minute of one job name on one queue. Bucket i of a histogram counts times below 2^i
 * ms; the last the rest. */
struct errand_stat {
    int64_t minute_ms; /* rounded down to the minute by the driver */
    const char *queue, *name;
    int64_t done, failed, retried;
    int64_t run_ms, wait_ms; /* sums */
    int64_t run_hist[ERRAND_HISTOGRAM_N], wait_hist[ERRAND_HISTOGRAM_N];
};

struct errand_stats_params {
    int64_t now_ms;
    const struct errand_stat *add; /* added to what is there */
    size_t add_n;
    int64_t since_ms, until_ms; /* read: minutes at or after, before; 0: any */
    const char *queue, *name;   /* read: exact, NULL: any */
};

struct errand_stats_result {
    struct errand_stat *stats; /* by minute, queue, name */
    size_t stats_n;
};

/* ------------------------------------------------------------------ load
 *
 * Takes what get, batches and schedules of another store gave, as it was: nothing follows
 * from it, nothing is told. Nobody works on these queues meanwhile. What is there already
 * stays as it is, so that a load that was cut off is repeated, and whoever loads
 * everything twice gets the edges to parents that came after their children as well. */

struct errand_load_params {
    int64_t now_ms;
    /* Never RUNNING. Inserted in this order behind all that are there, with state,
     * counts, times, attempts, key, limits and hook as given; key, progress and children
     * do not count. A key that another job holds stays with that one; its batch is there
     * or in this call, and its counts do not change. keep_completed_… is for prune to
     * apply.
     *
     * The job, inserted or there before, gets its edges to `parents` when it has none yet
     * and all of these are there: decided as given, or by what the parent is. */
    const struct errand_job_detail *jobs;
    size_t jobs_n;
    const struct errand_batch_info *batches; /* with their counts; inserted first */
    size_t batches_n;
    /* Whole, with the last slot; one of that name is replaced, unless its last slot is
     * later */
    const struct errand_schedule *schedules;
    size_t schedules_n;
};

struct errand_load_result {
    struct errand_pushed_job *jobs; /* INSERTED, or DUPLICATE: the id is there already */
};

/* ------------------------------------------------------------------ wait */

enum errand_wait_for {
    ERRAND_WAIT_READY = 1 << 0,   /* a job may be READY */
    ERRAND_WAIT_ENDED = 1 << 1,   /* a job or batch may have ended */
    ERRAND_WAIT_CONTROL = 1 << 2, /* a command or cancel may be there */
    ERRAND_WAIT_EVENTS = 1 << 3,  /* an event may be there */
    /* a schedule was put, deleted, paused or resumed; firing wakes nobody */
    ERRAND_WAIT_SCHEDULES = 1 << 4,
};

/* ------------------------------------------------------------------ check */

struct errand_check_result {
    const char *const *findings; /* each one a sentence; none: all is well */
    size_t findings_n;
};

/* What an operator should look at though it keeps nothing from working: a setting of the
 * server that weakens a promise, a session of somebody else that stands in the way. */
struct errand_remark {
    const char *text;   /* a sentence */
    const char *remedy; /* what to do; NULL: the sentence says it */
};

struct errand_remarks_result {
    struct errand_remark *remarks;
    size_t remarks_n;
};

/* ------------------------------------------------------------------ the driver */

struct errand_driver {
    uint32_t version; /* ERRAND_DRIVER_VERSION */
    uint32_t size;    /* sizeof(struct errand_driver) as the driver was compiled */
    const char *name;
    const char *const *schemes; /* NULL-terminated: "sqlite", … */
    uint32_t capabilities;

    /* Connects; checks the schema, and with p->create makes or raises it. */
    int (*open)(const struct errand_open_params *p, struct errand_conn **ret_conn,
                struct errand_error *err);
    void (*close)(struct errand_conn *conn); /* NULL allowed */
    /* After a fork: releases what a child may release (descriptors) without touching the
     * store. */
    void (*abandon)(struct errand_conn *conn);
    int (*migrate)(const struct errand_open_params *p, bool apply,
                   struct errand_migrate_result *ret, struct errand_error *err);

    int (*push)(struct errand_conn *, const struct errand_push_params *,
                struct errand_arena *, struct errand_push_result *ret,
                struct errand_error *err);
    int (*exchange)(struct errand_conn *, const struct errand_exchange_params *,
                    struct errand_arena *, struct errand_exchange_result *ret,
                    struct errand_error *err);
    int (*extend)(struct errand_conn *, const struct errand_extend_params *,
                  struct errand_arena *, struct errand_extend_result *ret,
                  struct errand_error *err);
    int (*reap)(struct errand_conn *, const struct errand_reap_params *,
                struct errand_arena *, struct errand_reap_result *ret,
                struct errand_error *err);

    int (*change)(struct errand_conn *, const struct errand_change_params *,
                  struct errand_arena *, struct errand_change_result *ret,
                  struct errand_error *err);
    /* Answers how many rows went; p->max reached: call again. */
    int (*prune)(struct errand_conn *, const struct errand_prune_params *, size_t *ret_n,
                 struct errand_error *err);
    /* ENOTFOUND */
    int (*get)(struct errand_conn *, const struct errand_id *id, int64_t now_ms,
               struct errand_arena *, struct errand_job_detail *ret,
               struct errand_error *err);
    int (*list)(struct errand_conn *, const struct errand_list_params *,
                struct errand_arena *, struct errand_list_result *ret,
                struct errand_error *err);
    int (*count)(struct errand_conn *, const struct errand_filter *, int64_t now_ms,
                 int64_t *ret_n, struct errand_error *err);

    int (*queues)(struct errand_conn *, int64_t now_ms, struct errand_arena *,
                  struct errand_queues_result *ret, struct errand_error *err);
    /* until_ms 0 resumes, ERRAND_FOREVER pauses without end. A queue that does not exist
     * yet is made. */
    int (*queue_pause)(struct errand_conn *, const char *queue, int64_t until_ms,
                       int64_t now_ms, struct errand_error *err);

    int (*limit_put)(struct errand_conn *, const struct errand_limit *,
                     struct errand_error *err);
    /* ENOTFOUND */
    int (*limit_delete)(struct errand_conn *, const char *name, struct errand_error *err);
    int (*limits)(struct errand_conn *, int64_t now_ms, struct errand_arena *,
                  struct errand_limits_result *ret, struct errand_error *err);
    int (*rate_take)(struct errand_conn *, const struct errand_rate_params *,
                     struct errand_rate_result *ret, struct errand_error *err);
    int (*lock)(struct errand_conn *, const struct errand_lock_params *,
                struct errand_arena *, struct errand_lock_result *ret,
                struct errand_error *err);
    /* ECONFLICT */
    int (*unlock)(struct errand_conn *, const struct errand_lock_params *,
                  struct errand_error *err);

    /* ENOTFOUND */
    int (*batch_get)(struct errand_conn *, const struct errand_id *id,
                     struct errand_arena *, struct errand_batch_info *ret,
                     struct errand_error *err);
    /* Cancels what has not ended; answers how many at once. Members are added by push. */
    int (*batch_cancel)(struct errand_conn *, const struct errand_id *id, int64_t now_ms,
                        size_t *ret_n, struct errand_error *err);
    /* newest first */
    int (*batches)(struct errand_conn *, const struct errand_id *after, size_t max,
                   struct errand_arena *, struct errand_batch_info **ret, size_t *ret_n,
                   struct errand_error *err);

    int (*schedule_put)(struct errand_conn *, const struct errand_schedule *,
                        struct errand_error *err);
    /* ENOTFOUND */
    int (*schedule_delete)(struct errand_conn *, const char *name,
                           struct errand_error *err);
    int (*schedule_pause)(struct errand_conn *, const char *name, bool paused,
                          struct errand_error *err);
    int (*schedules)(struct errand_conn *, struct errand_arena *,
                     struct errand_schedules_result *ret, struct errand_error *err);
    int (*fire)(struct errand_conn *, const struct errand_fire_params *,
                struct errand_arena *, struct errand_fire_result *ret,
                struct errand_error *err);

    int (*beat)(struct errand_conn *, const struct errand_beat_params *,
                struct errand_arena *, struct errand_beat_result *ret,
                struct errand_error *err);
    int (*workers)(struct errand_conn *, int64_t now_ms, struct errand_arena *,
                   struct errand_workers_result *ret, struct errand_error *err);
    /* worker NULL: every living one. Answers to how many. */
    int (*command)(struct errand_conn *, const char *worker, enum errand_command,
                   int64_t now_ms, size_t *ret_n, struct errand_error *err);

    int (*define)(struct errand_conn *, const struct errand_definition *, size_t n,
                  int64_t now_ms, struct errand_error *err);
    int (*definitions)(struct errand_conn *, const char *key,
                       struct errand_arena *, /* key NULL: all */
                       struct errand_definitions_result *ret, struct errand_error *err);

    int (*events_add)(struct errand_conn *, const struct errand_event *, size_t n,
                      int64_t now_ms, struct errand_error *err);
    int (*events_read)(struct errand_conn *, const struct errand_events_params *,
                       struct errand_arena *, struct errand_events_result *ret,
                       struct errand_error *err);
    int (*stats_add)(struct errand_conn *, const struct errand_stats_params *,
                     struct errand_error *err);
    int (*stats_read)(struct errand_conn *, const struct errand_stats_params *,
                      struct errand_arena *, struct errand_stats_result *ret,
                      struct errand_error *err);

    /* A descriptor, owned by the connection, that becomes readable when what the last
     * wait_arm asked for may have come about, also by another process. Arm, look
     * (exchange, get, …), then poll: what happened after arm is never missed. Spurious
     * wake-ups are allowed. wait_arm also clears the descriptor; arming for nothing (0)
     * tells writers that nobody sleeps. */
    int (*wait_fd)(struct errand_conn *, struct errand_error *err);
    int (*wait_arm)(struct errand_conn *, uint32_t wait_for, struct errand_error *err);

    /* Reads everything and says what does not fit together. */
    int (*check)(struct errand_conn *, int64_t now_ms, struct errand_arena *,
                 struct errand_check_result *ret, struct errand_error *err);

    /* Another connection to the same store, for another thread, whatever has become of
     * the URL and the current folder meanwhile. `p` says the rest; its URL does not
     * count. */
    int (*again)(struct errand_conn *, const struct errand_open_params *p,
                 struct errand_conn **ret_conn, struct errand_error *err);

    /* Looks at what surrounds the store. NULL: there is nothing around it to look at. */
    int (*remarks)(struct errand_conn *, struct errand_arena *,
                   struct errand_remarks_result *ret, struct errand_error *err);

    /* ENOTFOUND: a member of a batch that is not there */
    int (*load)(struct errand_conn *, const struct errand_load_params *,
                struct errand_arena *, struct errand_load_result *ret,
                struct errand_error *err);

    /* The wall clock by which jobs become due, where it is not this host's. NULL: it is
     * this host's. */
    int (*clock)(struct errand_conn *, int64_t *ret_wall_ms, struct errand_error *err);

    /* NULL: get is called for each. */
    int (*details)(struct errand_conn *, const struct errand_details_params *,
                   struct errand_arena *, struct errand_details_result *ret,
                   struct errand_error *err);
};

/* Makes a driver known for its schemes; its struct must live for ever. EINVAL: another
 * version, ECONFLICT: scheme taken by another driver. Call before any errand_open. */
ERRAND_API int errand_driver_register(const struct errand_driver *driver,
                                      struct errand_error *err);

#ifdef __cplusplus
}
#endif
#endif
