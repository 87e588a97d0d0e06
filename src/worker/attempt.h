/* attempt.h: the jobs this supervisor has a lease on.
 *
 * All jobs of one reserve share a token, a lease and an arena: a lot. It lives until the
 * last of them is settled. An attempt moves one way:
 *
 *     PENDING -> GIVEN or RUNNING -> ENDED (its outcome waits for the store) -> gone
 *
 * and back from GIVEN to PENDING when its runner took too long to get to it, or died. */
#ifndef ER_WORKER_ATTEMPT_H
#define ER_WORKER_ATTEMPT_H

#include "base/arena.h"
#include "worker/book.h"
#include "worker/capture.h"
#include "worker/protocol.h"
#include "worker/trail.h"

struct er_runner;
struct er_exec;
struct er_notice;

enum er_attempt_state {
    ER_PENDING,
    ER_GIVEN,
    ER_EXECUTING,
    ER_AT_STORE, /* notify.c has something to ask the store about it first */
    ER_ENDED
};

/* Why an attempt is being stopped from outside; the first reason stays, but a lost lease
 * and the end of the worker override it: then nothing but the stopping counts. */
enum er_stop {
    ER_STOP_NONE,
    ER_STOP_TIMEOUT,
    ER_STOP_CANCEL,
    ER_STOP_SHUTDOWN,
    ER_STOP_LOST
};

struct er_attempt {
    struct er_lot *lot;
    const struct errand_reserved *job; /* in the lot's arena */
    struct errand_slice data;          /* as its process is to see it, see payload.h */
    bool is_ready, was_sealed; /* the data was looked at; the store has it encrypted */
    bool is_admitted;          /* see admit.h */
    struct er_plan *plan;
    uint32_t trail;                 /* its entry there; 0: none */
    struct er_attempt *prev, *next; /* among the pending ones */
    enum er_attempt_state state;
    enum er_run_kind kind;
    bool is_own;           /* a timed-out hook: nothing is settled for it */
    bool is_cancel_wanted; /* somebody asked the store to stop it */
    bool is_told;          /* that it has begun, to those who follow */
    enum er_stop stop;
    int64_t pending_since_ms;
    int64_t term_at_ms, kill_at_ms; /* monotonic; 0: not planned, or done */
    struct er_runner *runner;
    uint32_t slot;
    double expected_ms; /* its share of the runner's load */
    struct er_exec *exec;
    struct er_notice *notice; /* what it delivers; NULL: it is no such job */
    int64_t started_ms;       /* wall clock; when it was given, or found running */
    int64_t started_mono_ms;  /* 0: not known to have begun */
    struct er_capture *log;
    uint64_t dispatched_n; /* jobs it has dispatched */
    int32_t percent;       /* progress; -1: none */
    bool has_progress_news;
    char note[128];
};

struct er_lot {
    struct er_lot *prev, *next;
    struct errand_arena *arena;
    struct er_book *book;
    int64_t token;
    size_t pool; /* of the supervisor, for which it was reserved */
    bool is_lost;
    struct er_attempt *attempts;
    size_t attempts_n, open_n; /* open: not gone yet */
    size_t leased_n;           /* of them, those the store waits for: not our own hooks */
};

struct er_lots {
    struct er_lot *first;
    size_t open_n;              /* attempts of all lots */
    struct er_trail *trail;     /* which of them have begun; NULL: none is kept */
    struct errand_arena *spare; /* one arena is kept: lots come and go all the time */
};

/* An arena for the next reserve. */
struct errand_arena *er_lots_arena(struct er_lots *lots);
void er_lots_arena_back(struct er_lots *lots, struct errand_arena *arena);
/* What was reserved becomes a lot; takes the arena, also on failure. NULL: no memory. */
struct er_lot *er_lot_new(struct er_lots *lots, struct errand_arena *arena,
                          struct er_book *book, const struct errand_exchange_result *got);
void er_lot_hold(struct er_lots *lots, struct er_lot *lot);
void er_lot_release(struct er_lots *lots, struct er_lot *lot);
void er_attempt_gone(struct er_lots *lots, struct er_attempt *attempt);
/* A hook of our own beside `attempt`, which keeps the lot alive. NULL: no memory. */
struct er_attempt *er_attempt_hook(struct er_lots *lots,
                                   const struct er_attempt *attempt);
void er_attempt_log(struct er_attempt *attempt, const char *ptr, size_t len);
struct er_attempt *er_lots_find(struct er_lots *lots, int64_t token,
                                const struct errand_id *id);
void er_lots_done(struct er_lots *lots);

#endif
