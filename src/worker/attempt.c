/* attempt.c: lots and their attempts. */
#include "worker/attempt.h"

#include <stdlib.h>
#include <string.h>

/* An arena that grew for one lot of big payloads is not worth keeping. */
enum { SPARE_MAX = 1 << 20 };

struct errand_arena *er_lots_arena(struct er_lots *lots)
{
    struct errand_arena *arena = lots->spare;

    lots->spare = NULL;
    return arena ? arena : er_arena_new();
}

void er_lots_arena_back(struct er_lots *lots, struct errand_arena *arena)
{
    if (lots->spare || er_arena_used(arena) > SPARE_MAX) {
        er_arena_free(arena);
        return;
    }
    er_arena_reset(arena);
    lots->spare = arena;
}

static void attempt_init(struct er_attempt *a, struct er_lot *lot,
                         const struct errand_reserved *job)
{
    *a = (struct er_attempt){.lot = lot, .job = job, .data = job->data, .percent = -1};
    if (job->kind == ERRAND_WORK_FAILED_HOOK)
        a->kind = ER_RUN_FAILED_HOOK;
    a->plan = er_book_plan(lot->book, job->name, job->queue, job->options, lot->arena);
}

struct er_lot *er_lot_new(struct er_lots *lots, struct errand_arena *arena,
                          struct er_book *book, const struct errand_exchange_result *got)
{
    struct er_lot *lot = errand_arena_alloc(arena, sizeof *lot);

    if (lot)
        lot->attempts = errand_arena_alloc(arena, got->jobs_n * sizeof *lot->attempts);
    if (!lot || !lot->attempts) {
        er_arena_free(arena);
        return NULL;
    }
    lot->arena = arena;
    lot->book = book;
    lot->token = got->token;
    lot->attempts_n = lot->open_n = lot->leased_n = got->jobs_n;
    for (size_t i = 0; i < got->jobs_n; i++) {
        attempt_init(&lot->attempts[i], lot, &got->jobs[i]);
        if (!lot->attempts[i].plan) {
            er_arena_free(arena);
            return NULL;
        }
    }
    book->refs++;
    lot->next = lots->first;
    if (lots->first)
        lots->first->prev = lot;
    lots->first = lot;
    lots->open_n += lot->open_n;
    return lot;
}

static void lot_free(struct er_lots *lots, struct er_lot *lot)
{
    struct errand_arena *arena = lot->arena;

    if (lot->prev)
        lot->prev->next = lot->next;
    else
        lots->first = lot->next;
    if (lot->next)
        lot->next->prev = lot->prev;
    er_book_release(lot->book);
    er_lots_arena_back(lots, arena);
}

static void log_free(struct er_attempt *attempt)
{
    if (!attempt->log)
        return;
    er_capture_done(attempt->log);
    free(attempt->log);
    attempt->log = NULL;
}

void er_lot_hold(struct er_lots *lots, struct er_lot *lot)
{
    lot->open_n++;
    lots->open_n++;
}

void er_lot_release(struct er_lots *lots, struct er_lot *lot)
{
    lots->open_n--;
    if (--lot->open_n == 0)
        lot_free(lots, lot);
}

void er_attempt_gone(struct er_lots *lots, struct er_attempt *attempt)
{
    struct er_lot *lot = attempt->lot;

    er_trail_gone(lots->trail, attempt->trail);
    log_free(attempt);
    if (attempt->is_own)
        free(attempt);
    else
        lot->leased_n--;
    er_lot_release(lots, lot);
}

struct er_attempt *er_attempt_hook(struct er_lots *lots, const struct er_attempt *attempt)
{
    struct er_attempt *hook = malloc(sizeof *hook);

    if (!hook)
        return NULL;
    *hook = (struct er_attempt){.lot = attempt->lot,
                                .job = attempt->job,
                                .data = attempt->data,
                                .is_ready = attempt->is_ready,
                                .plan = attempt->plan,
                                .kind = ER_RUN_TIMED_OUT_HOOK,
                                .is_own = true,
                                .percent = -1};
    er_lot_hold(lots, hook->lot);
    return hook;
}

void er_attempt_log(struct er_attempt *attempt, const char *ptr, size_t len)
{
    if (!attempt->log) {
        if (!(attempt->log = malloc(sizeof *attempt->log)))
            return; /* no memory: a log is less than a job */
        er_capture_init(attempt->log);
    }
    er_capture_add(attempt->log, ptr, len);
}

struct er_attempt *er_lots_find(struct er_lots *lots, int64_t token,
                                const struct errand_id *id)
{
    for (struct er_lot *lot = lots->first; lot; lot = lot->next) {
        if (lot->token != token)
            continue;
        for (size_t i = 0; i < lot->attempts_n; i++)
            if (strcmp(lot->attempts[i].job->id.text, id->text) == 0)
                return &lot->attempts[i];
    }
    return NULL;
}

void er_lots_done(struct er_lots *lots)
{
    bool is_open = lots->open_n > 0;

    while (lots->first) {
        struct er_lot *lot = lots->first;
        for (size_t i = 0; i < lot->attempts_n; i++)
            log_free(&lot->attempts[i]);
        lot_free(lots, lot);
    }
    er_trail_free(lots->trail, is_open);
    er_arena_free(lots->spare);
    *lots = (struct er_lots){0};
}
