/* sqlite.h: what the files of this driver share: a connection, a transaction and the
 * statements.
 *
 * Every write is one struct er_tx: it holds what the call has changed so far (counters,
 * moves, leases, jobs that ended) and the error of the call, so that functions below take
 * one `tx` and answer 0 or a negative code. docs/stores/sqlite.md describes the file. */
#ifndef ER_STORE_SQLITE_SQLITE_H
#define ER_STORE_SQLITE_SQLITE_H

#include <sqlite3.h>

#include "base/arena.h"
#include "core/events.h"
#include "core/state.h"
#include "sqlite_sql.h"
#include "store/ops.h"

/* ------------------------------------------------------------------ statements */

struct er_db {
    sqlite3 *handle;
    bool is_callers; /* the caller's own connection: one call long, not persistent */
    sqlite3_stmt *statements[ER_SQL_N];
};

struct er_arg {
    enum { ER_ARG_NULL, ER_ARG_INT, ER_ARG_TEXT, ER_ARG_BLOB } type;
    int64_t number;
    const void *ptr;
    size_t len;
};
static inline struct er_arg er_int(int64_t number)
{
    return (struct er_arg){.type = ER_ARG_INT, .number = number};
}
static inline struct er_arg er_int_or_null(int64_t number) /* 0: NULL */
{
    return (struct er_arg){.type = number ? ER_ARG_INT : ER_ARG_NULL, .number = number};
}
static inline struct er_arg er_text(const char *text) /* NULL: NULL */
{
    return (struct er_arg){.type = text ? ER_ARG_TEXT : ER_ARG_NULL, .ptr = text};
}
static inline struct er_arg er_blob(struct errand_slice s)
{
    return (struct er_arg){.type = ER_ARG_BLOB, .ptr = s.ptr ? s.ptr : "", .len = s.len};
}
static inline struct er_arg er_blob_or_null(struct errand_slice s) /* empty: NULL */
{
    struct er_arg arg = er_blob(s);

    arg.type = s.len ? ER_ARG_BLOB : ER_ARG_NULL;
    return arg;
}
#define ER_ARGS(...)                        \
    ((const struct er_arg[]){__VA_ARGS__}), \
        (sizeof((const struct er_arg[]){__VA_ARGS__}) / sizeof(struct er_arg))
#define ER_NO_ARGS NULL, 0

/* The statement, bound and ready to step, or NULL. What was bound is borrowed until then.
 */
sqlite3_stmt *er_sql_bind(struct er_db *db, enum er_sql sql, const struct er_arg *args,
                          size_t args_n, struct errand_error *err);
/* 1: a row; 0: no more, the statement is reset; negative: an error, reset as well. */
int er_sql_next(struct er_db *db, sqlite3_stmt *st, struct errand_error *err);
/* Steps to the end. 0 or negative. */
int er_sql_run(struct er_db *db, enum er_sql sql, const struct er_arg *args,
               size_t args_n, struct errand_error *err);
int er_sql_script(struct er_db *db, const char *script, struct errand_error *err);
void er_db_done(struct er_db *db); /* finalizes the statements, leaves the handle open */

/* Column i, copied into the arena; a failed copy has ptr NULL and len > 0. */
struct errand_slice er_col_slice(sqlite3_stmt *st, int i, struct errand_arena *arena);
/* "" for NULL */
const char *er_col_text(sqlite3_stmt *st, int i, struct errand_arena *arena);

/* error.c: the error of the last call on this connection, in our words. */
int er_sqlite_error(struct er_db *db, int rc, struct errand_error *err, const char *fmt,
                    ...) __attribute__((format(printf, 4, 5)));

/* ------------------------------------------------------------------ names */

/* Names of queues and of jobs are stored once and remembered by a connection: they are
 * never deleted. A rollback forgets them all, it may have taken some back. */
struct er_name {
    int64_t id;
    uint64_t hash;
    uint64_t call; /* the call that has a copy */
    const char *copy;
    char *text;
};
struct er_names {
    struct er_name **by_text, **by_id; /* hash tables of size slots_n */
    size_t slots_n, n;
};
void er_names_forget(struct er_names *names);

/* ------------------------------------------------------------------ connection */

struct er_root {
    int64_t next_id, next_token, next_seq, last_ms, control, follow_until;
    uint32_t extras;
};

/* Numbers taken from the root for a while to come, so that most pushes need not write it.
 * Good as long as nobody else has changed the file (data_version): order of numbers is
 * order of insertion, also between processes. What is left of them when somebody has is
 * never given out; there are 2^42. */
struct er_numbers {
    int64_t next, end;
};

/* The root as this connection left it. */
struct er_cache {
    bool is_valid;
    uint32_t data_version;
    struct er_root root;
    struct er_numbers ids, tokens;
};

struct er_wake;
struct er_sqlite {
    struct errand_conn base;
    struct er_db db;
    char *path;
    bool is_read_only;
    bool is_full;     /* commits are synced, but for er_tx_begin_light() */
    bool is_light;    /* the connection is set not to sync now */
    bool has_no_room; /* the last commit found the disk full: no events */
    uint32_t salt[2]; /* 12 and 20 bits, see id.c */
    struct errand_open_params params; /* of open, without its strings: see replace.c */
    int64_t boot;                     /* this boot of this machine */
    int64_t lease_offset_ms; /* lease clock = boot time + this, the same for all */
    int64_t keep_ms, keep_n;
    int64_t busy_ms, busy_until_ms; /* of the call under way */
    uint64_t busy_random;
    struct errand_error error; /* for callers that want none */
    struct er_names queues, jobs;
    struct er_cache cache;
    uint64_t call; /* grows with every call */
    struct errand_arena *scratch;
    struct er_wake *wake;
    uint32_t wake_owed; /* of pushes in a caller's transaction */
    int fds[8];         /* what abandon closes */
    size_t fds_n;
    int file_fd;          /* of them, the database; -1: not known */
    int64_t path_seen_ms; /* when the path last led to it */
};

/* ------------------------------------------------------------------ jobs */

enum er_flag {
    /* Low byte: something follows when the job ends, so it takes the slow path. */
    ER_FLAG_UNIQUE = 1 << 0,   /* holds or held a key, see asks.c */
    ER_FLAG_HOLDS = 1 << 1,    /* counts in a bucket while it runs: errand_holds */
    ER_FLAG_CHILDREN = 1 << 2, /* others wait for it */
    ER_FLAG_BATCH = 1 << 3,    /* member of a batch */
    ER_FLAG_CANCEL = 1 << 4,   /* RUNNING and to be stopped: errand_cancels */
    ER_FLAGS_FOLLOW = 0xff,
    ER_FLAG_OWN_ID = 1 << 8,    /* errand_ids */
    ER_FLAG_TAGS = 1 << 9,      /* errand_tags */
    ER_FLAG_ATTEMPTS = 1 << 10, /* errand_attempts */
    ER_FLAG_PROGRESS = 1 << 11, /* errand_progress */
    ER_FLAG_PARENTS = 1 << 12,  /* waited for others */
    ER_FLAG_LIMITS = 1 << 13,   /* brings limits, see asks.c */
    ER_FLAG_HOOK = 1 << 14,     /* has a `failed` hook: reap to FAILED makes it due */
    ER_FLAGS_OF_ROW = ER_FLAG_LIMITS | ER_FLAG_HOOK, /* gone with the row */
};

/* The row without its bytes. */
struct er_job {
    int64_t id, queue, name, run_at, created_at, batch;
    int state; /* enum errand_state as stored: READY also when RUNNING */
    int32_t priority, attempt, tries, waits;
    uint32_t flags;
    struct errand_slice asks; /* where it was read along; else empty */
};

/* Which rare tables may have rows: spares the hot path a look. Set by the first row. */
enum er_extra {
    ER_EXTRA_HOOKS = 1 << 0,  /* errand_hooks */
    ER_EXTRA_LIMITS = 1 << 1, /* errand_limits */
    /* 1 << 2 was errand_job_limits */
    ER_EXTRA_PARKED = 1 << 3,     /* errand_parked */
    ER_EXTRA_CANCELS = 1 << 4,    /* errand_cancels */
    ER_EXTRA_CLAIMS_END = 1 << 5, /* errand_unique_keys that end by time */
    ER_EXTRA_BATCHES = 1 << 6,    /* errand_batches */
};

/* ------------------------------------------------------------------ transaction */

struct er_count {
    int64_t queue;
    int64_t delta[ERRAND_STATES_N], parked;
};

struct er_lease_job {
    int64_t id, queue;
    bool is_hook, is_gone;
};
struct er_lease {
    int64_t token, until_ms, boot, started_at;
    const char *worker;
    struct er_lease_job *jobs;
    size_t jobs_n, left_n, hint;
    bool is_dirty;
};

/* A job that has ended or lives again, or a batch to look at: whose followers are still
 * to be told. */
struct er_news {
    int64_t id, batch;
    bool is_batch, is_gone;
    enum errand_state state; /* of a job; not final: it lives again */
};

/* Counts of a batch, read once and written once a transaction. */
struct er_batch {
    struct er_batch *next;
    int64_t id, total, pending, failed, cancelled, ended_at;
    bool allow_failures, is_cancelled, is_reopened, is_queued, is_dirty;
    struct errand_id uid;
    const char *name;
};

struct er_tx {
    struct er_sqlite *conn;
    struct er_db *db;
    struct er_names *queues, *jobs;
    struct errand_arena *arena;   /* results; NULL when the call has none */
    struct errand_arena *scratch; /* until the end of the call */
    struct errand_error *err;
    const char *name; /* of the operation, for failpoints */
    int64_t now_ms;   /* wall clock */
    int64_t lease_ms; /* lease clock */
    uint32_t wake;    /* enum errand_wait_for: told after the commit */
    bool is_read, is_root_dirty, want_moves, has_told;
    struct er_root root;
    bool is_root_fresh; /* read from the file, not remembered */
    struct er_numbers ids, tokens;
    size_t moved_n; /* changes of state of jobs that were there */
    struct er_count *counts;
    size_t counts_n, counts_max;
    struct errand_move *moves;
    size_t moves_n, moves_max;
    struct er_news *job_news, *batch_news;
    size_t job_news_n, job_news_max, job_news_done;
    size_t batch_news_n, batch_news_max, batch_news_done;
    struct er_batch *batches;
    struct er_limits *limits; /* see limits.h */
    size_t offered_n;         /* parked jobs that went back into a line */
    struct er_lease *leases;
    size_t leases_n, leases_max;
};

/* tx.c */
void er_tx_init(struct er_tx *tx, struct er_sqlite *conn, int64_t now_ms,
                struct errand_arena *arena, struct errand_error *err);
int er_tx_begin(struct er_tx *tx, struct errand_conn *conn, const char *name,
                int64_t now_ms, struct errand_arena *arena, struct errand_error *err);
/* The same for what is no promise to anybody: a lease, a heartbeat, numbers, events. The
 * loss of power may take it back; then the job is READY, which is what it would be after
 * any end of its worker. Without this a reserve waits for the disk, and so does whoever
 * wants the job picked up. */
int er_tx_begin_light(struct er_tx *tx, struct errand_conn *conn, const char *name,
                      int64_t now_ms, struct errand_arena *arena,
                      struct errand_error *err);
int er_tx_begin_read(struct er_tx *tx, struct errand_conn *conn, int64_t now_ms,
                     struct errand_arena *arena, struct errand_error *err);
/* Commits when rc is 0, else rolls back. Returns rc or what the commit said. */
int er_tx_end(struct er_tx *tx, int rc);
int er_tx_read_root(struct er_tx *tx);
/* Writes leases, batches, limits, counters and root: what er_tx_end does first. */
int er_tx_flush(struct er_tx *tx);
struct er_count *er_tx_count(struct er_tx *tx, int64_t queue); /* NULL: no memory */
/* The next number of a job, of a lease or lock. */
int64_t er_tx_take_id(struct er_tx *tx);
int64_t er_tx_take_token(struct er_tx *tx);
/* It is told, and one more row of the answer's moves when they are wanted. */
int er_tx_move(struct er_tx *tx, const struct er_job *job, int from, int to,
               int32_t attempt);
int er_tx_nomem(struct er_tx *tx);
void er_tx_extra(struct er_tx *tx, enum er_extra extra);
uint32_t er_tx_hints(const struct er_tx *tx);
/* Room for one more in an array that lives in scratch. 0 or ENOMEM. */
int er_tx_grow(struct er_tx *tx, void *array, size_t n, size_t *max, size_t size);

/* The shorthand of everything below. */
sqlite3_stmt *er_tx_bind(struct er_tx *tx, enum er_sql sql, const struct er_arg *args,
                         size_t args_n);
int er_tx_next(struct er_tx *tx, sqlite3_stmt *st);
/* Fills one row, zeroed before, from where the statement stands. 0 or negative. */
typedef int er_row_fn(struct er_tx *tx, sqlite3_stmt *st, void *ret_row);
int er_row_id(struct er_tx *tx, sqlite3_stmt *st, void *ret_id); /* int64_t: column 0 */
/* All rows of a statement as an array of `size` bytes each, in scratch. `st` NULL: its
 * binding failed, and so does this. */
int er_tx_rows(struct er_tx *tx, sqlite3_stmt *st, er_row_fn *fill, size_t size,
               void *ret_rows, size_t *ret_n);
/* The same in the arena of the answer; without rows no NULL. */
int er_tx_answer(struct er_tx *tx, sqlite3_stmt *st, er_row_fn *fill, size_t size,
                 void *ret_rows, size_t *ret_n);
int er_tx_run(struct er_tx *tx, enum er_sql sql, const struct er_arg *args,
              size_t args_n);
/* First column of the first row; 1 found, 0 not. */
int er_tx_number(struct er_tx *tx, enum er_sql sql, const struct er_arg *args,
                 size_t args_n, int64_t *ret);
int64_t er_tx_changes(struct er_tx *tx); /* rows changed by the last run */

/* names.c: 0, or with `make` false and no such name: *ret_id is 0. */
int er_queue_id(struct er_tx *tx, const char *name, bool make, int64_t *ret_id);
int er_name_id(struct er_tx *tx, const char *name, bool make, int64_t *ret_id);
const char *er_queue_text(struct er_tx *tx, int64_t id); /* in arena; NULL: error set */
const char *er_name_text(struct er_tx *tx, int64_t id);

/* id.c */
int er_id_room(struct er_tx *tx, int64_t id); /* 0, or EFULL: past the last number */
void er_id_format(const struct er_sqlite *conn, int64_t id, int64_t created_at,
                  struct errand_id *ret);
int er_id_of(struct er_tx *tx, int64_t id, int64_t created_at, uint32_t flags,
             struct errand_id *ret);
int er_history_id(struct er_tx *tx, int64_t id, struct errand_id *ret);
/* The job of that id, wherever it is: 1, or 0. */
int er_id_find(struct er_tx *tx, const struct errand_id *id, int64_t *ret);

/* job.c */
int er_job_read(struct er_tx *tx, int64_t id, struct er_job *ret); /* 1 or 0 */
/* What it is now: READY or RUNNING is told apart by errand_ready and errand_parked. */
int er_job_state(struct er_tx *tx, const struct er_job *job, enum errand_state *ret);
/* Into and out of errand_ready, errand_scheduled; no counters. */
int er_job_enter(struct er_tx *tx, const struct er_job *job);
int er_job_leave(struct er_tx *tx, const struct er_job *job); /* 1, or 0: is RUNNING */
/* A change of state in the counters of queue and batch; ER_NO_STATE: none. */
int er_job_count(struct er_tx *tx, const struct er_job *job, int from, int to);
int er_job_flag(struct er_tx *tx, int64_t id, uint32_t set, uint32_t clear);
int er_job_place(struct er_tx *tx, const struct er_job *job); /* writes where it is */
/* READY or SCHEDULED by its run_at, from `from`, which it has left. */
int er_job_release(struct er_tx *tx, struct er_job *job, int from);
/* A new run-at for one that waits. */
int er_job_put_off(struct er_tx *tx, struct er_job *job, int64_t run_at);

struct er_end {
    enum errand_state state; /* COMPLETED, FAILED, CANCELLED */
    int from;                /* it has left that place */
    /* COMPLETED: its last attempt */
    int64_t started_at, ran_ms, max_rss_kib, cpu_ms;
    const char *worker;
    struct errand_slice result;
};
/* Everything that follows from a job's end but the followers (follow.c). */
int er_job_end(struct er_tx *tx, struct er_job *job, const struct er_end *end);
/* One that waits is CANCELLED; *ret_from is what it was. */
int er_job_cancel(struct er_tx *tx, struct er_job *job, int *ret_from);
/* One that runs is to be stopped: extend says so to its worker. */
int er_job_stop(struct er_tx *tx, struct er_job *job);
/* One that has ended lives again, HELD or READY; attempts are the caller's. */
int er_job_revive(struct er_tx *tx, struct er_job *job, enum errand_state to);
/* It leaves RUNNING, whatever comes next. */
int er_job_stopped(struct er_tx *tx, struct er_job *job);
/* Side rows of a job that goes for good. */
int er_job_forget(struct er_tx *tx, int64_t id, uint32_t flags);
/* A parent goes for good: so do its edges, and what stood against children. */
int er_parent_forget(struct er_tx *tx, bool is_batch, int64_t id);
int er_attempt_add(struct er_tx *tx, struct er_job *job, const struct errand_outcome *out,
                   const char *worker);
/* The same, noted in the row as its last, and counted. */
int er_job_tried(struct er_tx *tx, struct er_job *job, const struct errand_outcome *out,
                 const char *worker);
int er_hook_due(struct er_tx *tx, const struct er_job *job);
int er_hook_clear(struct er_tx *tx, const struct er_job *job);
bool er_keeps_history(const struct er_sqlite *conn);

/* lease.c */
/* NULL: none */
int er_lease_find(struct er_tx *tx, int64_t token, struct er_lease **ret);
/* The job in it that has not been settled yet, or NULL. */
struct er_lease_job *er_lease_job(struct er_lease *lease, int64_t id, bool is_hook);
void er_lease_drop(struct er_lease *lease, struct er_lease_job *job);
int er_leases_write(struct er_tx *tx); /* part of er_tx_flush */
int er_lease_insert(struct er_tx *tx, int64_t token, int64_t lease_ms, const char *worker,
                    const struct er_lease_job *jobs, size_t jobs_n);
/* Those the statement finds, into tx->leases. */
int er_leases_load(struct er_tx *tx, enum er_sql sql, const struct er_arg *args,
                   size_t args_n);
/* Sorted by id: who runs what, for lists. */
struct er_running {
    int64_t id;
    const struct er_lease *lease;
};
int er_running_load(struct er_tx *tx, struct er_running **ret, size_t *ret_n);
const struct er_running *er_running_find(const struct er_running *running, size_t n,
                                         int64_t id);

/* due.c: up to a chunk of a queue's become READY; not counted. */
int er_due(struct er_tx *tx, int64_t queue, size_t *ret_n);

/* reserve.c */
int er_reserve(struct er_tx *tx, const struct errand_exchange_params *p,
               struct errand_exchange_result *ret);

/* change.c: an ended job is gone, with all that is beside it. */
int er_job_drop(struct er_tx *tx, const struct er_job *job, bool is_deleted);

/* history.c */
int er_history_forget(struct er_tx *tx, int64_t id, int64_t queue, int64_t created_at,
                      uint32_t flags, bool is_deleted);
int er_history_trim(struct er_tx *tx); /* after jobs have completed */

/* follow.c: tells everybody who waits for what has ended in this call, and so on. */
int er_follow(struct er_tx *tx);
/* is_gone: nobody keeps it, and its edges go when they have been told. */
int er_news_job(struct er_tx *tx, const struct er_job *job, enum errand_state state,
                bool is_gone);
int er_news_batch(struct er_tx *tx, struct er_batch *batch);

/* batch.c */
int er_batch_load(struct er_tx *tx, int64_t id, struct er_batch **ret);
int er_batch_count(struct er_tx *tx, const struct er_job *job, int from, int to);
int er_batch_drop(struct er_tx *tx, int64_t id); /* one without jobs is forgotten */
int er_batches_write(struct er_tx *tx);          /* part of er_tx_flush */
/* Cancels what waits of it, and flags what runs. */
int er_batch_stop(struct er_tx *tx, struct er_batch *batch, bool and_running,
                  size_t *ret_n);

/* events.c: while somebody follows, a row of the ring, in this transaction. */
int er_tell(struct er_tx *tx, const struct errand_event *event);
int er_tell_job(struct er_tx *tx, const struct er_job *job, enum er_told told,
                int32_t attempt, struct errand_slice error);
int er_told_trim(struct er_tx *tx); /* part of er_tx_flush */

/* unique.c */
int er_unique_release(struct er_tx *tx, const struct er_job *job, enum er_event why);
/* 0: another has the key */
int er_unique_again(struct er_tx *tx, const struct er_job *job);
/* The job goes for good; a claim of one that is pruned stays until its time. */
int er_unique_drop(struct er_tx *tx, const struct er_job *job, bool is_deleted);

/* limits.c: 1 it starts, or 0: it was parked. The job is READY and out of its line. */
int er_limits_start(struct er_tx *tx, struct er_job *job);
/* How many jobs of a queue its own limits let start now: the queue waits as a whole.
 * *ret_at: when time lets the next one go, 0: time alone lets nobody. */
int er_limits_room(struct er_tx *tx, int64_t queue, int64_t *ret_room, int64_t *ret_at);
int er_limits_leave(struct er_tx *tx, const struct er_job *job); /* no longer RUNNING */
/* A READY job went without having run: its place at a limit is free for another. */
int er_limits_offer(struct er_tx *tx, const struct er_job *job);
int er_limits_due(struct er_tx *tx); /* parked jobs whose time has come are READY again */
int er_limits_next(struct er_tx *tx, int64_t queue, int64_t *ret_at); /* 0: none */
int er_limits_write(struct er_tx *tx); /* part of er_tx_flush */
/* Out of errand_parked: 1, or 0 when it is not there. */
int er_parked_remove(struct er_tx *tx, const struct er_job *job);

/* replace.c: before a call: the store at the path, whichever it is now. EUNAVAILABLE:
 * there is none. */
int er_sqlite_replace(struct er_sqlite *conn, int64_t now_ms, struct errand_error *err);
int64_t er_sqlite_identity(const struct er_sqlite *conn);

/* ------------------------------------------------------------------ the operations */

ER_STORE_OPS(er_sqlite_);

#endif
