/* slots_watch.c: places and time: attempts that run too long, runners that are to go, and
 * stopping what must stop. Only this file sends signals to children that work. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "worker/ending.h"
#include "worker/exec_job.h"
#include "worker/slots.h"
#include "worker/supervisor.h"

enum {
    KILL_MS = 5000,   /* from TERM to KILL */
    CANCEL_MS = 1000, /* from the mark in shared memory to TERM */
    SHUTDOWN_KILL_MS = 1000,
    HOARD_MS = 500, /* what could not start for so long goes back to the store */
    MEMORY_LOOK_MS = 100,
    CHECK_MS = 20, /* without descriptors for processes: how often to look */
};

/* ------------------------------------------------------------------ stopping one */

/* Those that have not begun, to the front of the line, in order. */
static void others_take_back(struct er_supervisor *s, struct er_runner *r)
{
    for (uint32_t i = r->tail; i != r->head; i--) {
        struct er_attempt *a = r->slots[(i - 1) % ER_SLOTS];
        if (a && er_runner_take_back(r, a))
            er_slots_pend_first(s, a);
    }
}

static void stop_plan(struct er_supervisor *s, struct er_attempt *a)
{
    int64_t term_ms = 0, kill_ms = KILL_MS;

    if (a->stop == ER_STOP_CANCEL && a->runner)
        term_ms = CANCEL_MS; /* a handler that looks may end by itself */
    if (a->stop == ER_STOP_SHUTDOWN || a->stop == ER_STOP_LOST)
        kill_ms = SHUTDOWN_KILL_MS;
    a->term_at_ms = s->now_ms + term_ms;
    a->kill_at_ms = a->term_at_ms + kill_ms;
    er_supervisor_wake_at(s, a->term_at_ms);
}

static void not_begun(struct er_supervisor *s, struct er_attempt *a)
{
    er_settle_ended(s, a, &(struct er_ending){.cause = ERRAND_CAUSE_CANCEL});
}

void er_slots_stop(struct er_supervisor *s, struct er_attempt *a, enum er_stop why)
{
    if (a->state == ER_ENDED || why <= a->stop)
        return;
    if (a->state == ER_AT_STORE && why != ER_STOP_LOST)
        return; /* nothing of it runs any more */
    a->stop = why;
    if (a->state == ER_AT_STORE) {
        er_telling_forget(s, a);
        return;
    }
    if (a->state == ER_PENDING) {
        er_slots_pend_remove(s, a);
        not_begun(s, a);
        return;
    }
    if (a->state == ER_GIVEN) {
        struct er_runner *r = a->runner;
        if (er_runner_take_back(r, a)) {
            not_begun(s, a);
            return;
        }
        others_take_back(s, r);
        r->stopping = a;
        er_runner_mark_stop(r, why == ER_STOP_CANCEL);
    }
    stop_plan(s, a);
}

/* The signal is for this attempt alone: a runner that has already answered it keeps its
 * life. */
static bool is_still_there(struct er_attempt *a)
{
    uint32_t mark;

    if (!a->runner)
        return true;
    mark = atomic_load(&a->runner->shared->marks[a->slot]);
    return mark != ER_MARK_DONE && mark != ER_MARK_TOLD;
}

static void signals_send(struct er_supervisor *s, struct er_attempt *a,
                         const struct er_child *child)
{
    if (a->term_at_ms && s->now_ms >= a->term_at_ms) {
        a->term_at_ms = 0;
        if (is_still_there(a)) {
            if (a->runner)
                /* whatever TERM does to it, it is not trusted */
                a->runner->is_stale = true;
            er_child_signal(child, SIGTERM);
        }
    }
    if (a->kill_at_ms && s->now_ms >= a->kill_at_ms) {
        a->kill_at_ms = 0;
        er_child_signal(child, SIGKILL);
    }
    if (a->term_at_ms)
        er_supervisor_wake_at(s, a->term_at_ms);
    else if (a->kill_at_ms)
        er_supervisor_wake_at(s, a->kill_at_ms);
}

/* ------------------------------------------------------------------ time-outs */

static void time_out(struct er_supervisor *s, struct er_attempt *a)
{
    struct er_attempt *hook = NULL;

    if (a->kind == ER_RUN_HANDLE && (a->plan->hooks & ER_HOOK_TIMED_OUT))
        hook = er_attempt_hook(&s->lots, a);
    er_slots_stop(s, a, ER_STOP_TIMEOUT);
    if (hook)
        er_slots_pend_first(s, hook);
}

static void attempt_watch(struct er_supervisor *s, struct er_attempt *a,
                          const struct er_child *child)
{
    int64_t deadline = a->started_mono_ms + a->plan->timeout_ms;

    if (a->stop) {
        signals_send(s, a, child);
        return;
    }
    if (a->plan->timeout_ms <= 0)
        return;
    if (s->now_ms >= deadline)
        time_out(s, a);
    else
        er_supervisor_wake_at(s, deadline);
}

static void slow_watch(struct er_supervisor *s, struct er_runner *r,
                       const struct er_attempt *current)
{
    if (r->given_n < 2)
        return;
    if (s->now_ms - current->started_mono_ms >= ER_SLOW_MS)
        others_take_back(s, r);
    else
        er_supervisor_wake_at(s, current->started_mono_ms + ER_SLOW_MS);
}

/* ------------------------------------------------------------------ runners */

static void memory_watch(struct er_supervisor *s, struct er_runner *r)
{
    if (!s->options.memory || s->now_ms < r->look_at_memory_ms)
        return;
    r->look_at_memory_ms = s->now_ms + MEMORY_LOOK_MS;
    /* More than all of it cannot be: that is its RLIMIT_AS. */
    if (er_runner_rss_kib(r) > s->options.memory * 1024 / 4 * 3)
        r->is_stale = true;
}

static void age_watch(struct er_supervisor *s, struct er_runner *r)
{
    if (r->jobs_n >= s->options.runner_max_jobs ||
        s->now_ms - r->born_ms >= (int64_t)(s->options.runner_max_age * 1000))
        r->is_stale = true;
    if (r->jobs_n && !r->is_stale)
        memory_watch(s, r);
    if (s->book && !s->book->runner_jobs_n && !r->given_n && !s->is_reload_wanted)
        r->is_stale = true; /* it has said that there is nothing for it to do */
}

static void ready_watch(struct er_supervisor *s, struct er_runner *r)
{
    struct er_attempt *current = er_runner_current(r);

    age_watch(s, r);
    if (!r->given_n) {
        if (r->is_stale)
            er_runner_retire(r);
        return;
    }
    if (current)
        slow_watch(s, r, current);
    if (current)
        attempt_watch(s, current, &r->child);
    else if (r->stopping)
        attempt_watch(s, r->stopping, &r->child);
    else
        er_supervisor_wake_at(s,
                              s->now_ms + (r->given_n > 1 ? ER_SLOW_MS : ER_UNSEEN_MS));
    if (r->is_stale && !r->stopping)
        others_take_back(s, r);
}

static void runner_watch(struct er_supervisor *s, struct er_runner *r)
{
    switch (r->state) {
    case ER_RUNNER_STARTING:
        if (s->now_ms < r->hello_by_ms) {
            er_supervisor_wake_at(s, r->hello_by_ms);
            break;
        }
        snprintf(r->fatal, sizeof r->fatal,
                 "it did not say HELLO within 10 s: does the main of its program "
                 "begin with errand_runner_main or errand_main?");
        r->hello_by_ms = INT64_MAX;
        er_child_signal(&r->child, SIGKILL);
        break;
    case ER_RUNNER_READY:
        ready_watch(s, r);
        break;
    case ER_RUNNER_RETIRED:
        if (s->now_ms >= r->retire_by_ms) {
            er_child_signal(&r->child, SIGKILL);
            r->retire_by_ms = s->now_ms + KILL_MS;
        }
        er_supervisor_wake_at(s, r->retire_by_ms);
        break;
    case ER_RUNNER_GONE:
        break;
    }
}

static bool is_one_starting(const struct er_slots *slots)
{
    for (const struct er_runner *r = slots->runners; r; r = r->next)
        if (r->state == ER_RUNNER_STARTING)
            return true;
    return false;
}

/* A bit for each pool whose first in line has waited too long: it speaks for those behind
 * it. */
static uint64_t hoards_find(struct er_supervisor *s)
{
    uint64_t seen = 0, hoards = 0;
    size_t left = s->pools_n;

    for (struct er_attempt *a = s->slots.pending_first; a && left; a = a->next) {
        uint64_t bit = UINT64_C(1) << a->lot->pool;

        if (seen & bit)
            continue;
        seen |= bit;
        left--;
        if (s->now_ms - a->pending_since_ms >= HOARD_MS)
            hoards |= bit;
        else
            er_supervisor_wake_at(s, a->pending_since_ms + HOARD_MS);
    }
    return hoards;
}

/* What was reserved for places that turned out to be taken for long: other workers may
 * have room for it. */
static void hoard_give_back(struct er_supervisor *s)
{
    struct er_slots *slots = &s->slots;
    struct er_attempt *a, *next;
    uint64_t hoards;

    if (!slots->pending_first || is_one_starting(slots) || !(hoards = hoards_find(s)))
        return;
    slots->typical_ms = -1;
    for (a = slots->pending_first; a; a = next) {
        next = a->next;
        if (a->kind == ER_RUN_HANDLE && hoards >> a->lot->pool & 1)
            er_slots_stop(s, a, ER_STOP_SHUTDOWN);
    }
}

static void ended_look(struct er_supervisor *s)
{
    struct er_runner *r, *next;
    bool has_unseen = false;

    for (r = s->slots.runners; r; r = next) {
        next = r->next;
        if (r->child.pidfd < 0) {
            has_unseen = true;
            er_runner_check(r);
        }
    }
    for (struct er_exec *e = s->slots.execs; e; e = e->next)
        if (e->child.pidfd < 0 || e->handles_n < 3) {
            has_unseen = has_unseen || !e->is_over;
            er_exec_check(e);
        }
    if (has_unseen)
        er_supervisor_wake_at(s, s->now_ms + CHECK_MS);
}

static void graves_clear(struct er_slots *slots)
{
    struct er_runner **r = &slots->graveyard;
    struct er_exec **e = &slots->execs;

    while (*r) {
        struct er_runner *dead = *r;
        if (dead->handles_n) {
            r = &dead->next;
            continue;
        }
        *r = dead->next;
        er_runner_free(dead);
    }
    while (*e) {
        struct er_exec *dead = *e;
        if (!dead->is_over || dead->handles_n) {
            e = &dead->next;
            continue;
        }
        *e = dead->next;
        er_exec_free(dead);
    }
}

void er_slots_tick(struct er_supervisor *s)
{
    struct er_slots *slots = &s->slots;

    ended_look(s);
    graves_clear(slots);
    for (struct er_runner *r = slots->runners; r; r = r->next)
        runner_watch(s, r);
    for (struct er_exec *e = slots->execs; e; e = e->next)
        if (!e->is_over)
            attempt_watch(s, e->attempt, &e->child);
    hoard_give_back(s);
}

/* ------------------------------------------------------------------ all of them */

void er_slots_hand_back(struct er_supervisor *s)
{
    struct er_slots *slots = &s->slots;
    struct er_attempt *a, *next;

    for (struct er_runner *r = slots->runners; r; r = r->next) {
        if (r->state != ER_RUNNER_READY)
            continue;
        others_take_back(s, r);
        er_runner_mark_stop(r, false);
    }
    for (a = slots->pending_first; a; a = next) {
        next = a->next;
        if (a->kind == ER_RUN_HANDLE)
            er_slots_stop(s, a, ER_STOP_SHUTDOWN);
    }
}

void er_slots_stop_all(struct er_supervisor *s, enum er_stop why)
{
    struct er_slots *slots = &s->slots;
    struct er_attempt *a, *next;

    for (struct er_runner *r = slots->runners; r; r = r->next) {
        others_take_back(s, r);
        for (uint32_t i = r->head; i != r->tail; i++)
            if (r->slots[i % ER_SLOTS])
                er_slots_stop(s, r->slots[i % ER_SLOTS], why);
    }
    for (a = slots->pending_first; a; a = next) {
        next = a->next;
        er_slots_stop(s, a, why);
    }
    for (struct er_exec *e = slots->execs; e; e = e->next)
        if (!e->is_over)
            er_slots_stop(s, e->attempt, why);
}

void er_slots_retire_all(struct er_supervisor *s)
{
    for (struct er_runner *r = s->slots.runners; r; r = r->next)
        r->is_stale = true;
}

bool er_slots_are_gone(const struct er_supervisor *s)
{
    return !s->slots.runners && !s->slots.execs && !s->slots.graveyard;
}

void er_slots_kill_all(struct er_supervisor *s)
{
    for (struct er_runner *r = s->slots.runners; r; r = r->next)
        er_child_signal(&r->child, SIGKILL);
    for (struct er_exec *e = s->slots.execs; e; e = e->next)
        if (!e->is_over)
            er_child_signal(&e->child, SIGKILL);
}

void er_slots_runner_gone(struct er_supervisor *s, struct er_runner *r,
                          const struct er_ending *ending)
{
    struct er_runner **at = &s->slots.runners;
    char why[640];

    while (*at && *at != r)
        at = &(*at)->next;
    if (*at)
        *at = r->next;
    r->next = s->slots.graveyard;
    s->slots.graveyard = r;
    if (r->state == ER_RUNNER_RETIRED || s->mode == ER_LEAVING || s->is_stopped_now)
        return;
    /* One that ended before it had done anything would end again at once. */
    if (r->state == ER_RUNNER_STARTING || !r->jobs_n) {
        if (r->state == ER_RUNNER_READY && r->tail)
            return;
        snprintf(why, sizeof why, "%s",
                 r->fatal[0] ? r->fatal : er_ending_text(ending, s->settle.arena));
        er_slots_start_failed(s, why);
    }
}

void er_slots_done(struct er_supervisor *s)
{
    graves_clear(&s->slots);
}
