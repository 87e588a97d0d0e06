/* slots.c: who gets the next job, and how many may be asked for.
 *
 * A runner is handed jobs ahead as long as they are expected to take less than 50 ms
 * together; a job of unknown length goes to a runner that has nothing else. When the
 * guess was wrong, slots_watch.c takes back what has not begun. */
#include "worker/slots.h"

#include <stdlib.h>
#include <string.h>

#include "base/failpoint.h"
#include "worker/admit.h"
#include "worker/embed.h"
#include "worker/exec_job.h"
#include "worker/payload.h"
#include "worker/supervisor.h"

enum {
    AHEAD_MS = 50,
    BACKOFF_FIRST_MS = 1000,
    /* at most 9 starts in a minute, and half a minute to recover */
    BACKOFF_MOST_MS = 15000,
};

/* ------------------------------------------------------------------ counting */

static bool is_usable(const struct er_runner *r)
{
    return r->state == ER_RUNNER_READY && !r->is_stale && !r->stopping;
}

size_t er_slots_busy(const struct er_slots *slots)
{
    size_t n = slots->execs_n;

    for (const struct er_runner *r = slots->runners; r; r = r->next)
        n += r->given_n > 0;
    return n;
}

static size_t execs_of(const struct er_slots *slots, size_t pool)
{
    size_t n = 0;

    for (const struct er_exec *e = slots->execs; e; e = e->next)
        n += !e->is_over && e->attempt->lot->pool == pool;
    return n;
}

static size_t busy_of(const struct er_slots *slots, size_t pool)
{
    size_t n = slots->execs_n ? execs_of(slots, pool) : 0;

    for (const struct er_runner *r = slots->runners; r; r = r->next)
        n += r->given_n > 0 && r->pool == pool;
    return n;
}

/* Retired ones do not count: they hold no place any more. */
static size_t runners_n(const struct er_slots *slots, bool only_starting)
{
    size_t n = 0;

    for (const struct er_runner *r = slots->runners; r; r = r->next)
        n += r->state == ER_RUNNER_STARTING || (!only_starting && is_usable(r));
    return n;
}

static size_t window_of(const struct er_slots *slots)
{
    if (slots->typical_ms < 0 || slots->typical_ms >= AHEAD_MS)
        return 1;
    if (slots->typical_ms * ER_AHEAD_N <= AHEAD_MS)
        return ER_AHEAD_N;
    return (size_t)(AHEAD_MS / slots->typical_ms);
}

/* Nothing is claimed that nobody could run: while no runner starts, the jobs stay where
 * another worker may take them. */
static bool can_run(const struct er_supervisor *s)
{
    const struct er_slots *slots = &s->slots;

    if (!s->book)
        return false;
    if (!slots->start_failures || !s->book->runner_jobs_n)
        return true;
    for (const struct er_runner *r = slots->runners; r; r = r->next)
        if (r->state == ER_RUNNER_READY)
            return true;
    return false;
}

/* Each place may have a window of jobs; those that hold jobs ahead have less room, those
 * that run an executable have one. */
size_t er_slots_room(struct er_supervisor *s, const struct er_pool *pool)
{
    const struct er_slots *slots = &s->slots;
    size_t window = window_of(slots), concurrency = pool->concurrency;
    size_t me = (size_t)(pool - s->pools), execs = execs_of(slots, me);
    size_t busy = busy_of(slots, me), room = 0, idle = 0;

    if (!can_run(s))
        return 0;
    for (const struct er_runner *r = slots->runners; r; r = r->next) {
        if (!is_usable(r) || (r->given_n && r->pool != me))
            continue;
        if (r->given_n) {
            room += window > r->given_n ? window - r->given_n : 0;
        } else if (busy + idle < concurrency) {
            room += window;
            idle++;
        }
    }
    room += execs * (window - 1);
    if (concurrency > busy + idle && !slots->start_failures)
        room += (concurrency - busy - idle) * window;
    return room > pool->pending_n ? room - pool->pending_n : 0;
}

static double average(double old, double ms, double share)
{
    return old < 0 ? ms : old * (1 - share) + ms * share;
}

void er_slots_measure(struct er_supervisor *s, struct er_plan *plan, double ms)
{
    plan->run_ms = average(plan->run_ms, ms, 0.2);
    s->slots.typical_ms = average(s->slots.typical_ms, ms, 0.2);
}

bool er_slots_has_idle(struct er_supervisor *s, const struct er_pool *pool)
{
    return busy_of(&s->slots, (size_t)(pool - s->pools)) < pool->concurrency &&
           !pool->pending_n;
}

/* ------------------------------------------------------------------ pending */

void er_slots_pend_remove(struct er_supervisor *s, struct er_attempt *a)
{
    struct er_slots *slots = &s->slots;

    if (a->prev)
        a->prev->next = a->next;
    else
        slots->pending_first = a->next;
    if (a->next)
        a->next->prev = a->prev;
    else
        slots->pending_last = a->prev;
    a->prev = a->next = NULL;
    slots->pending_n--;
    s->pools[a->lot->pool].pending_n--;
}

void er_slots_pend_first(struct er_supervisor *s, struct er_attempt *a)
{
    struct er_slots *slots = &s->slots;

    a->state = ER_PENDING;
    er_trail_waits(s->lots.trail, a->trail);
    a->pending_since_ms = s->now_ms;
    a->started_ms = a->started_mono_ms = 0;
    a->prev = NULL;
    a->next = slots->pending_first;
    if (a->next)
        a->next->prev = a;
    else
        slots->pending_last = a;
    slots->pending_first = a;
    slots->pending_n++;
    s->pools[a->lot->pool].pending_n++;
}

void er_slots_add(struct er_supervisor *s, struct er_lot *lot)
{
    struct er_slots *slots = &s->slots;

    for (size_t i = 0; i < lot->attempts_n; i++) {
        struct er_attempt *a = &lot->attempts[i];
        if (er_telling_take(s, a))
            continue;
        if (a->kind == ER_RUN_HANDLE)
            a->trail = er_trail_add(s->lots.trail, a->job);
        a->pending_since_ms = s->now_ms;
        a->prev = slots->pending_last;
        if (a->prev)
            a->prev->next = a;
        else
            slots->pending_first = a;
        slots->pending_last = a;
        slots->pending_n++;
        s->pools[lot->pool].pending_n++;
    }
}

/* ------------------------------------------------------------------ starting runners */

void er_slots_start_failed(struct er_supervisor *s, const char *why)
{
    struct er_slots *slots = &s->slots;
    int64_t wait = BACKOFF_FIRST_MS;

    for (int i = 0; i < slots->start_failures && wait < BACKOFF_MOST_MS; i++)
        wait *= 2;
    if (wait > BACKOFF_MOST_MS)
        wait = BACKOFF_MOST_MS;
    slots->start_failures++;
    er_embed_start_failed(s, why);
    slots->start_at_ms = s->now_ms + wait;
    snprintf(slots->start_error, sizeof slots->start_error, "%s", why);
    s->leases.beat_at_ms = s->now_ms;
    er_supervisor_wake_at(s, slots->start_at_ms);
    er_report_warn(s, "a runner did not start: %s (next try in %lld s)", why,
                   (long long)(wait / 1000));
}

void er_slots_hello(struct er_supervisor *s, struct er_runner *r)
{
    struct er_slots *slots = &s->slots;

    (void)r;
    if (slots->start_failures) {
        er_report_over(s, "runners start again");
        s->leases.beat_at_ms = s->now_ms;
    }
    slots->start_failures = 0;
    slots->start_at_ms = 0;
    slots->start_error[0] = '\0';
    er_embed_is_working(s);
}

void er_slots_start_runner(struct er_supervisor *s)
{
    struct er_slots *slots = &s->slots;
    struct errand_error err = {0};
    struct er_runner *r;

    if (s->now_ms < slots->start_at_ms) {
        er_supervisor_wake_at(s, slots->start_at_ms);
        return;
    }
    if (slots->start_failures && runners_n(slots, true))
        return; /* one try at a time while they fail */
    if (er_runner_start(s, &r, &err) < 0) {
        er_slots_start_failed(s, err.message);
        return;
    }
    r->next = slots->runners;
    slots->runners = r;
    er_supervisor_wake_at(s, r->hello_by_ms);
}

/* ------------------------------------------------------------------ giving */

static bool fits(const struct er_runner *r, const struct er_attempt *a)
{
    const struct er_plan *plan = a->plan;

    return plan->run_ms >= 0 && r->load_ms + plan->run_ms <= AHEAD_MS &&
           r->given_n < ER_AHEAD_N;
}

/* The one with least to do; NULL: none can take it now. */
static struct er_runner *runner_for(struct er_supervisor *s, const struct er_attempt *a,
                                    size_t busy)
{
    size_t pool = a->lot->pool;
    struct er_runner *best = NULL;

    for (struct er_runner *r = s->slots.runners; r; r = r->next) {
        if (!is_usable(r) || (best && best->given_n <= r->given_n))
            continue;
        if (r->given_n ? r->pool == pool && fits(r, a)
                       : busy < s->pools[pool].concurrency)
            best = r;
    }
    return best;
}

static bool is_runner_wanted(struct er_supervisor *s)
{
    const struct er_slots *slots = &s->slots;
    size_t have = runners_n(slots, false) + slots->execs_n;

    return have < (size_t)s->options.concurrency &&
           runners_n(slots, true) < slots->pending_n + 1;
}

/* While nobody can run what waits, nothing is claimed, so no job asks for a runner: then
 * the runner is asked for to see whether one starts again. */
static bool is_probe_wanted(const struct er_supervisor *s)
{
    return s->book && !can_run(s);
}

static void cannot_start(struct er_supervisor *s, struct er_attempt *a, const char *why)
{
    struct er_ending ending = {.cause = ERRAND_CAUSE_START,
                               .verdict = ERRAND_RETRY,
                               .error = {why, strlen(why)}};

    er_settle_ended(s, a, &ending);
}

/* Its file is at hand and does not compile, or its header line is wrong: somebody is at
 * it right now, or will be. The job comes again, and none of its tries is lost. */
static bool is_waiting_for_mend(const struct er_attempt *a)
{
    return a->kind == ER_RUN_HANDLE && a->plan->about && a->plan->about->error;
}

static void wait_for_mend(struct er_supervisor *s, struct er_attempt *a, const char *why)
{
    struct er_ending ending = {
        .verdict = ERRAND_SNOOZE, .snooze_ms = ER_MEND_MS, .error = {why, strlen(why)}};

    er_settle_ended(s, a, &ending);
}

static bool is_hook_missing(const struct er_attempt *a)
{
    uint32_t hook = a->kind == ER_RUN_FAILED_HOOK      ? ER_HOOK_FAILED
                    : a->kind == ER_RUN_TIMED_OUT_HOOK ? ER_HOOK_TIMED_OUT
                                                       : 0;

    return hook && !(a->plan->hooks & hook);
}

/* False: it must wait, and all of its pool behind it too, so that nothing overtakes it
 * for ever. */
static bool attempt_place(struct er_supervisor *s, struct er_attempt *a)
{
    size_t pool = a->lot->pool, busy = busy_of(&s->slots, pool);
    enum er_admit admit;
    struct er_runner *r;

    if (a->plan->error || is_hook_missing(a)) {
        er_slots_pend_remove(s, a);
        if (is_waiting_for_mend(a))
            wait_for_mend(s, a, a->plan->error);
        else
            cannot_start(s, a,
                         a->plan->error ? a->plan->error : "its class has no such hook");
        return true;
    }
    if (!er_payload_ready(s, a))
        return true;
    if ((admit = er_admit_ready(s, a)) != ER_ADMIT_GO)
        return admit == ER_ADMIT_ENDED;
    if (a->plan->path) {
        if (busy >= s->pools[pool].concurrency)
            return false;
        er_slots_pend_remove(s, a);
        if (a->plan->is_notify && !er_telling_begin(s, a))
            return true;
        (void)er_failpoint("before-start");
        er_exec_start(s, a);
        return true;
    }
    if (!(r = runner_for(s, a, busy)))
        return false;
    er_slots_pend_remove(s, a);
    (void)er_failpoint("before-start");
    if (er_runner_give(r, a) < 0)
        cannot_start(s, a, "too big to be handed to a runner");
    else if (r->given_n == 1)
        er_stats_started(s, a);
    /* By then it has begun, or keeps others waiting; the tick that follows knows more. */
    er_supervisor_wake_at(s, s->now_ms + (r->given_n > 1 ? ER_SLOW_MS : ER_UNSEEN_MS));
    return true;
}

/* The first in line of whose pool none has to wait. */
static struct er_attempt *pending_next(const struct er_slots *slots, uint64_t blocked)
{
    struct er_attempt *a = slots->pending_first;

    while (a && blocked >> a->lot->pool & 1)
        a = a->next;
    return a;
}

void er_slots_assign(struct er_supervisor *s)
{
    struct er_slots *slots = &s->slots;
    struct er_attempt *a;
    bool has_ahead = false;
    uint64_t blocked = 0; /* a bit a pool */

    if (s->mode == ER_LEAVING)
        return;
    while ((a = pending_next(slots, blocked)))
        if (!attempt_place(s, a))
            blocked |= UINT64_C(1) << a->lot->pool;
    for (struct er_runner *r = slots->runners; r; r = r->next) {
        has_ahead = has_ahead || r->given_n > 1;
        er_runner_flush(r);
    }
    if (s->mode != ER_WORKING)
        return;
    has_ahead |= slots->pending_first && !slots->pending_first->plan->path;
    if ((has_ahead && is_runner_wanted(s)) || is_probe_wanted(s))
        er_slots_start_runner(s);
}
