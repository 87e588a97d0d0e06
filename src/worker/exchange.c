/* exchange.c: one call that settles what has ended and reserves what comes next.
 *
 * Under load it waits until a group has gathered, because a hundred jobs a commit are
 * worth fifty times one; when anybody is idle it goes at once. What the store has not
 * confirmed is kept and told again: a repeated settle is harmless. */
#include <stdlib.h>
#include <string.h>

#include "base/failpoint.h"
#include "core/backoff.h"
#include "core/clock.h"
#include "worker/settle.h"
#include "worker/supervisor.h"

enum {
    GATHER_MS = 2,
    CONTROL_MS = 50,
    RESERVE_MOST = 400,
    /* after a full disk: a small transaction fits where none else does */
    RESERVE_FULL = 4,
    FULL_MS = 10000, /* so long it is careful then */
    /* while all are busy: fewer are not worth a commit of their own */
    RESERVE_LEAST = 16,
    BUSY_QUIET_MS = 5000, /* other writers are no news before */
    STILL_MS = 60000,     /* what goes on is told again */
};

/* ------------------------------------------------------------------ failure */

bool er_settle_may_ask(const struct er_supervisor *s)
{
    return s->now_ms >= s->settle.retry_at_ms;
}

/* When it begins, when it becomes something else, and once a minute. */
static void failure_tell(struct er_supervisor *s, const struct errand_error *err)
{
    struct er_settle *settle = &s->settle;
    bool is_known = settle->is_failure_told && settle->told_code == err->code, is_said;

    if (is_known && s->now_ms - settle->told_ms < STILL_MS)
        return;
    if (is_known)
        is_said = er_report_warn_of(s, err->code, "store: still, after %d failures: %s",
                                    settle->failures, err->message);
    else
        is_said = er_report_warn_of(s, err->code, "store: %s", err->message);
    if (!is_said)
        return;
    settle->is_failure_told = true;
    settle->told_code = err->code;
    settle->told_ms = s->now_ms;
}

void er_settle_store_failed(struct er_supervisor *s, const struct errand_error *err)
{
    struct er_settle *settle = &s->settle;
    double random = er_backoff_random(&settle->random);

    settle->retry_at_ms =
        s->now_ms + er_backoff_store_ms(settle->failures, err->code, random);
    if (!settle->failures++)
        settle->failed_ms = s->now_ms;
    er_settle_look(s); /* what we missed meanwhile */
    if (err->code == ERRAND_EFULL)
        settle->full_until_ms = s->now_ms + FULL_MS;
    settle->armed = 0;
    er_supervisor_wake_at(s, settle->retry_at_ms);
    if (err->code == ERRAND_EBUSY && s->now_ms - settle->failed_ms < BUSY_QUIET_MS)
        return;
    failure_tell(s, err);
}

void er_settle_store_answered(struct er_supervisor *s)
{
    struct er_settle *settle = &s->settle;

    if (settle->is_failure_told)
        er_report_over(s, "store: it answers again, after %d %s and %.1f s",
                       settle->failures, settle->failures == 1 ? "failure" : "failures",
                       (double)(s->now_ms - settle->failed_ms) / 1000);
    if (settle->failures) /* it may be another one */
        s->leases.beat_at_ms = s->now_ms;
    settle->is_failure_told = false;
    settle->failures = 0;
    settle->retry_at_ms = 0;
}

/* What a store does not want to keep must not hold up the rest. */
static void outcomes_strip(struct er_settle *settle)
{
    static const char text[] = "what it said could not be stored";

    for (size_t i = 0; i < settle->n; i++) {
        struct errand_outcome *o = &settle->outcomes[i];
        o->log = o->result = (struct errand_slice){0};
        if (o->error.len)
            o->error = (struct errand_slice){text, sizeof text - 1};
    }
}

/* ------------------------------------------------------------------ how many */

/* Jobs that may still be begun under --max-jobs. */
static size_t budget(const struct er_supervisor *s)
{
    int64_t open = (int64_t)(s->lots.open_n - s->settle.n);
    int64_t left = s->options.max_jobs - s->ended_n - open;

    if (!s->options.max_jobs)
        return SIZE_MAX;
    return left > 0 ? (size_t)left : 0;
}

static size_t reserve_n(struct er_supervisor *s, const struct er_pool *pool)
{
    bool is_full = s->now_ms < s->settle.full_until_ms;
    size_t n, most;

    if (s->mode != ER_WORKING || s->is_quiet)
        return 0;
    if (is_full && s->settle.n)
        return 0; /* what little room there is belongs to what has ended */
    n = er_slots_room(s, pool);
    most = budget(s);
    n = n < most ? n : most;
    most = is_full ? RESERVE_FULL : RESERVE_MOST;
    return n < most ? n : most;
}

/* The pool of the first outcome: it has a place again. */
static struct er_pool *pool_settled(struct er_supervisor *s)
{
    return &s->pools[s->settle.attempts[0]->lot->pool];
}

/* An idle place may wait for what follows from the outcomes; those of its own pool. */
static bool is_settle_due(struct er_supervisor *s)
{
    const struct er_settle *settle = &s->settle;
    size_t group = s->lots.open_n / 2;

    if (!settle->n)
        return false;
    if (group > ER_SETTLE_GROUP)
        group = ER_SETTLE_GROUP;
    return settle->n >= group || s->mode != ER_WORKING ||
           er_slots_has_idle(s, pool_settled(s)) ||
           s->now_ms - settle->oldest_ms >= GATHER_MS;
}

static bool is_reserve_due(struct er_supervisor *s, const struct er_pool *pool, size_t n)
{
    if (!n || !(pool->is_look_due || pool->is_more))
        return false;
    return pool->is_look_due || er_slots_has_idle(s, pool) || n >= RESERVE_LEAST;
}

/* Whose turn it is to reserve, and how many; NULL: nobody's. */
static struct er_pool *pool_choose(struct er_supervisor *s, size_t *ret_n)
{
    for (size_t i = 0; i < s->pools_n; i++) {
        size_t at = (s->pool_next + i) % s->pools_n;

        *ret_n = reserve_n(s, &s->pools[at]);
        if (!is_reserve_due(s, &s->pools[at], *ret_n))
            continue;
        s->pool_next = at + 1;
        return &s->pools[at];
    }
    *ret_n = 0;
    return NULL;
}

/* ------------------------------------------------------------------ the call */

static void outcomes_tell(struct er_supervisor *s, const enum errand_settled *settled)
{
    struct er_settle *settle = &s->settle;

    for (size_t i = 0; i < settle->n; i++) {
        struct er_attempt *a = settle->attempts[i];
        if (settled[i] == ERRAND_SETTLED_DUPLICATE)
            settle->outcomes[i].kind = ERRAND_OUT_DONE;
        if (settled[i] != ERRAND_LOST) {
            er_stats_ended(s, a, &settle->outcomes[i]);
            er_report_ended(s, a, &settle->outcomes[i]);
        } else {
            er_report_warn(s, "%s %s ended here after its lease was lost: not counted",
                           a->job->name, a->job->id.text);
        }
        er_attempt_gone(&s->lots, a);
    }
    settle->n = 0;
    er_arena_reset(settle->arena);
}

static void look_plan(struct er_supervisor *s, struct er_pool *pool, size_t asked,
                      const struct errand_exchange_result *got)
{
    struct er_settle *settle = &s->settle;
    int64_t next;

    settle->hints = got->hints;
    if (got->control != settle->control) {
        settle->control = got->control;
        settle->is_control_due = true;
    }
    if (!asked)
        return;
    pool->is_more = got->jobs_n == asked;
    pool->was_empty = !got->jobs_n;
    pool->is_look_due = false;
    pool->look_at_ms = s->now_ms + s->sleep_ms;
    if (got->next_at_ms) {
        next = s->now_ms + (got->next_at_ms - er_store_wall_ms(s->store));
        if (next < pool->look_at_ms)
            pool->look_at_ms = next > s->now_ms ? next : s->now_ms + 1;
    }
    if (!pool->is_more && !(settle->armed & ERRAND_WAIT_READY))
        pool->is_look_due = true; /* once more, with the wake-up armed first */
}

static int store_arm(struct er_supervisor *s, uint32_t wanted, struct errand_error *err)
{
    struct er_settle *settle = &s->settle;
    int rc;

    if (settle->armed == wanted)
        return 0;
    if (s->has_wake && (rc = er_store_wait_arm(s->store, wanted, err)) < 0)
        return rc;
    settle->armed = wanted;
    return 0;
}

/* Every exchange learns whether somebody wants something of us. When none was made for a
 * while, because all places are taken or we are quiet, the store wakes us for that alone;
 * what came before it was armed is asked for once. */
static int control_arm(struct er_supervisor *s, struct errand_error *err)
{
    struct er_settle *settle = &s->settle;
    int rc;

    if (settle->armed)
        return 0;
    if (s->now_ms - settle->asked_ms < CONTROL_MS) {
        er_supervisor_wake_at(s, settle->asked_ms + CONTROL_MS);
        return 0;
    }
    if ((rc = store_arm(s, ERRAND_WAIT_CONTROL, err)) < 0)
        return rc;
    settle->asked_ms = s->now_ms;
    settle->is_control_due = true;
    er_supervisor_wake_at(s, s->now_ms);
    return 0;
}

static double weight_of(const struct er_supervisor *s, const char *queue)
{
    for (size_t i = 0; i < s->options.queue_options_n; i++)
        if (strcmp(s->options.queue_options[i].name, queue) == 0)
            return s->options.queue_options[i].weight;
    return 0;
}

/* With weights the strict order is drawn anew each time: a queue comes before the others
 * as often as its share says, and none starves. */
static void queues_draw(struct er_supervisor *s, const char **order, size_t n, double sum)
{
    for (size_t i = 0; i + 1 < n; i++) {
        double at = er_backoff_random(&s->settle.random) * sum;
        size_t k = i;
        const char *chosen;

        while (k + 1 < n && (at -= weight_of(s, order[k])) >= 0)
            k++;
        chosen = order[k];
        sum -= weight_of(s, chosen);
        memmove(order + i + 1, order + i, (k - i) * sizeof *order);
        order[i] = chosen;
    }
}

static void queues_order(struct er_supervisor *s, struct er_pool *pool,
                         struct errand_exchange_params *params)
{
    const char *const *queues = pool->queues;
    size_t n = pool->queues_n;
    /* Notifications are worked first and take part in no draw. */
    size_t own = queues && strcmp(queues[0], ER_NOTIFY_QUEUE) == 0;
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += weight_of(s, queues[i]);
    params->queues = queues;
    params->queues_n = n;
    if (sum <= 0 || n < own + 2)
        return;
    if (!pool->order)
        pool->order = errand_arena_alloc(s->arena, n * sizeof *pool->order);
    if (!pool->order)
        return;
    memcpy(pool->order, queues, n * sizeof *queues);
    queues_draw(s, pool->order + own, n - own, sum);
    params->queues = pool->order;
}

static int exchange(struct er_supervisor *s, struct er_pool *pool, size_t n,
                    struct errand_error *err)
{
    struct er_settle *settle = &s->settle;
    struct errand_arena *arena = er_lots_arena(&s->lots);
    struct errand_exchange_result got = {0};
    struct errand_exchange_params params = {
        .outcomes = settle->outcomes,
        .outcomes_n = settle->n,
        .max = n,
        .lease_ms = s->lease_ms,
        .worker = s->name,
    };
    struct er_lot *lot;
    int rc;

    if (!arena)
        return errand_error_set(err, ERRAND_ENOMEM, "out of memory");
    queues_order(s, pool, &params);
    if ((rc = er_store_exchange(s->store, &params, arena, &got, err)) < 0) {
        er_lots_arena_back(&s->lots, arena);
        return rc;
    }
    if (params.outcomes_n)
        (void)er_failpoint("after-settle");
    if (got.jobs_n)
        (void)er_failpoint("after-reserve");
    outcomes_tell(s, got.settled);
    look_plan(s, pool, n, &got);
    if (!got.jobs_n) {
        er_lots_arena_back(&s->lots, arena);
        return 0;
    }
    /* Without memory for them their lease runs out, and they are READY again. */
    if (!(lot = er_lot_new(&s->lots, arena, s->book, &got)))
        return errand_error_set(err, ERRAND_ENOMEM, "out of memory");
    lot->pool = (size_t)(pool - s->pools);
    er_slots_add(s, lot);
    return 0;
}

/* A look that is due while there is no place needs no timer: what makes a place brings a
 * turn. */
static void wake_plan(struct er_supervisor *s)
{
    const struct er_settle *settle = &s->settle;

    if (settle->n)
        er_supervisor_wake_at(s, settle->oldest_ms + GATHER_MS);
    for (size_t i = 0; i < s->pools_n; i++) {
        const struct er_pool *pool = &s->pools[i];
        size_t n = reserve_n(s, pool);
        bool is_next =
            pool->is_look_due || (s->pools_n > 1 && is_reserve_due(s, pool, n));

        if (n)
            er_supervisor_wake_at(s, is_next ? s->now_ms : pool->look_at_ms);
    }
}

static void looks_due(struct er_supervisor *s)
{
    for (size_t i = 0; i < s->pools_n; i++)
        if (s->now_ms >= s->pools[i].look_at_ms)
            s->pools[i].is_look_due = true;
}

/* While there is more nobody need wake us; but another pool may be asleep. */
static uint32_t wake_wanted(const struct er_supervisor *s, const struct er_pool *pool)
{
    if (pool->is_more && s->pools_n == 1)
        return 0;
    return ERRAND_WAIT_READY | ERRAND_WAIT_CONTROL;
}

void er_settle_turn(struct er_supervisor *s)
{
    struct er_settle *settle = &s->settle;
    struct errand_error err = {0};
    struct er_pool *pool;
    size_t n;
    int rc = 0;

    if (!er_settle_may_ask(s)) {
        er_supervisor_wake_at(s, settle->retry_at_ms);
        return;
    }
    looks_due(s);
    pool = pool_choose(s, &n);
    if (pool || is_settle_due(s)) {
        if (!pool) /* the store is asked anyway */
            n = reserve_n(s, pool = pool_settled(s));
        if (n)
            rc = store_arm(s, wake_wanted(s, pool), &err);
        if (rc == 0 && settle->n)
            rc = er_stats_tell(s, &err);
        if (rc == 0)
            rc = exchange(s, pool, n, &err);
        settle->asked_ms = s->now_ms;
        if (rc == 0)
            er_settle_store_answered(s);
    } else {
        rc = control_arm(s, &err);
    }
    if (rc < 0) {
        if (!err.retryable)
            outcomes_strip(settle);
        er_settle_store_failed(s, &err);
        return;
    }
    wake_plan(s);
}
