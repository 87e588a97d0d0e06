/* settle.c: the rules applied to an ending. What the store then hears of it is
 * exchange.c. */
#include "worker/settle.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "core/backoff.h"
#include "core/clock.h"
#include "worker/admit.h"
#include "worker/ending.h"
#include "worker/outcome.h"
#include "worker/supervisor.h"

enum { TEXT_MAX = 64 << 10 };

int er_settle_init(struct er_supervisor *s, struct errand_error *err)
{
    struct er_settle *settle = &s->settle;

    settle->size = 2 * ER_SETTLE_GROUP;
    settle->outcomes = calloc(settle->size, sizeof *settle->outcomes);
    settle->attempts = calloc(settle->size, sizeof *settle->attempts);
    settle->arena = er_arena_new();
    settle->random = (uint64_t)er_clock_wall_ms(NULL) * 2654435761u ^ (uint64_t)getpid();
    er_settle_look(s);
    if (!settle->outcomes || !settle->attempts || !settle->arena)
        return er_error_nomem(err);
    return 0;
}

void er_settle_done(struct er_supervisor *s)
{
    struct er_settle *settle = &s->settle;

    free(settle->outcomes);
    free(settle->attempts);
    er_arena_free(settle->arena);
    *settle = (struct er_settle){0};
}

void er_settle_look(struct er_supervisor *s)
{
    for (size_t i = 0; i < s->pools_n; i++)
        s->pools[i].is_look_due = true;
}

/* ------------------------------------------------------------------ the rules */

static struct errand_slice text_keep(struct er_settle *settle, struct errand_slice text)
{
    if (text.len > TEXT_MAX)
        text.len = TEXT_MAX;
    if (!text.len)
        return (struct errand_slice){0};
    text = er_arena_slice(settle->arena, text.ptr, text.len);
    return text.ptr ? text : (struct errand_slice){0};
}

static struct errand_slice error_keep(struct er_supervisor *s, const struct er_attempt *a,
                                      const struct er_ending *ending)
{
    struct errand_arena *arena = s->settle.arena;
    const char *text;

    if (a->stop == ER_STOP_TIMEOUT) {
        text = er_arena_printf(arena, "timed out after %g s",
                               (double)a->plan->timeout_ms / 1000);
        return text ? (struct errand_slice){text, strlen(text)}
                    : (struct errand_slice){0};
    }
    if (ending->error.len)
        return text_keep(&s->settle, ending->error);
    if (ending->cause == ERRAND_CAUSE_ERROR)
        text = ending->verdict == ERRAND_FAIL ? "the handler failed without saying why"
                                              : "the handler asked for another try";
    else
        text = er_ending_text(ending, arena);
    return text ? (struct errand_slice){text, strlen(text)} : (struct errand_slice){0};
}

static void retry_or_fail(struct er_supervisor *s, const struct er_attempt *a,
                          int64_t wait, struct errand_outcome *o)
{
    const struct er_plan *plan = a->plan;
    const struct er_retry retry = {.attempt = a->job->attempt,
                                   .tries = plan->tries ? plan->tries : a->job->tries,
                                   .backoff = &plan->backoff,
                                   .wait_ms = wait,
                                   .created_ms = a->job->created_ms,
                                   .until_ms = plan->retry_until_ms,
                                   .for_ms = plan->retry_for_ms};

    er_outcome_retry(o, &retry, er_backoff_random(&s->settle.random));
}

static bool is_done(const struct er_ending *ending)
{
    return ending->cause == ERRAND_CAUSE_NONE && ending->verdict == ERRAND_DONE;
}

/* What is the case, in order: it was done before the stop reached it; it was stopped; it
 * said itself what is to follow; it failed. */
static void decide(struct er_supervisor *s, const struct er_attempt *a,
                   const struct er_ending *ending, struct errand_outcome *o)
{
    if (a->kind == ER_RUN_FAILED_HOOK) {
        o->kind = ERRAND_OUT_HOOK_DONE;
    } else if (ending->asked) {
        o->kind = ERRAND_OUT_LIMIT;
        o->unique = ending->asked->is_unique ? &ending->asked->unique : NULL;
        o->limits = ending->asked->limits;
        o->limits_n = ending->asked->limits_n;
    } else if (is_done(ending)) {
        o->kind = ERRAND_OUT_DONE;
    } else if (a->stop == ER_STOP_SHUTDOWN) {
        o->kind = ERRAND_OUT_HAND_BACK;
    } else if (a->stop == ER_STOP_CANCEL) {
        o->kind = ERRAND_OUT_CANCELLED;
        o->cause = ERRAND_CAUSE_CANCEL;
    } else if (a->stop == ER_STOP_TIMEOUT) {
        o->cause = ERRAND_CAUSE_TIMEOUT;
        retry_or_fail(s, a, 0, o);
    } else if (ending->cause == ERRAND_CAUSE_NONE && ending->verdict == ERRAND_SNOOZE) {
        o->kind = ERRAND_OUT_SNOOZE;
        o->run_at_ms = o->ended_ms + (ending->snooze_ms > 0 ? ending->snooze_ms : 0);
    } else if (ending->verdict == ERRAND_FAIL) {
        o->kind = ERRAND_OUT_FAIL;
    } else {
        retry_or_fail(s, a, ending->snooze_ms, o);
    }
}

static void outcome_make(struct er_supervisor *s, struct er_attempt *a,
                         const struct er_ending *ending, struct errand_outcome *o)
{
    *o = (struct errand_outcome){
        .token = a->job->token,
        .key = a->job->key,
        .id = a->job->id,
        .started_ms = a->started_ms ? a->started_ms : s->wall_ms,
        .ended_ms = s->wall_ms,
        .cause = ending->cause,
        .exit_code = ending->exit_code,
        .signal = ending->signal,
        .max_rss_kib = ending->max_rss_kib,
        .cpu_ms = ending->cpu_ms,
        .queue = a->job->queue,
        .attempt = a->job->attempt,
    };
    decide(s, a, ending, o);
    /* One that was handed back before it began has done nothing that anybody follows. */
    if (o->kind != ERRAND_OUT_HAND_BACK || a->started_ms)
        o->name = a->job->name;
    if (o->kind == ERRAND_OUT_RETRY || o->kind == ERRAND_OUT_FAIL)
        o->error = error_keep(s, a, ending);
    else if (o->kind == ERRAND_OUT_SNOOZE) /* for who reads what the worker says */
        o->error = text_keep(&s->settle, ending->error);
    if ((o->kind == ERRAND_OUT_DONE || o->kind == ERRAND_OUT_LIMIT) &&
        ending->result.len <= TEXT_MAX)
        o->result = text_keep(&s->settle, ending->result);
    if (o->kind == ERRAND_OUT_FAIL)
        o->hook_due = (a->plan->hooks & ER_HOOK_FAILED) || er_telling_wants(s, a);
    if (a->log)
        o->log = er_capture_text(a->log, s->settle.arena);
}

static int outcome_room(struct er_settle *settle)
{
    size_t size = settle->size * 2;
    struct errand_outcome *outcomes;
    struct er_attempt **attempts;

    if (settle->n < settle->size)
        return 0;
    if ((outcomes = realloc(settle->outcomes, size * sizeof *outcomes)))
        settle->outcomes = outcomes;
    if ((attempts = realloc(settle->attempts, size * sizeof *attempts)))
        settle->attempts = attempts;
    if (!outcomes || !attempts)
        return -1;
    settle->size = size;
    return 0;
}

/* A hook that failed changes nothing but the log. */
static void hook_report(struct er_supervisor *s, const struct er_attempt *a,
                        const struct er_ending *ending)
{
    const char *which = a->kind == ER_RUN_FAILED_HOOK ? "failed" : "timed-out";
    const char *text;

    if (is_done(ending) || a->stop >= ER_STOP_SHUTDOWN)
        return;
    text = a->stop == ER_STOP_TIMEOUT ? "it took too long"
                                      : er_ending_text(ending, s->settle.arena);
    if (ending->error.len)
        text = er_arena_printf(s->settle.arena, "%.*s", (int)ending->error.len,
                               ending->error.ptr);
    er_report_warn(s, "the %s hook of %s %s: %s", which, a->job->name, a->job->id.text,
                   text ? text : "out of memory");
}

static void begin_and_end_tell(struct er_supervisor *s, struct er_attempt *a,
                               const struct errand_outcome *o)
{
    if (a->started_ms && o->kind != ERRAND_OUT_LIMIT && o->cause != ERRAND_CAUSE_START)
        er_stats_started(s, a);
    if (o->cause == ERRAND_CAUSE_TIMEOUT)
        er_stats_timed_out(s, a);
}

void er_settle_ended(struct er_supervisor *s, struct er_attempt *a,
                     const struct er_ending *ending)
{
    struct er_settle *settle = &s->settle;
    struct er_ending keys;
    struct errand_outcome *o;

    if (a->kind == ER_RUN_KEYS) {
        keys = *ending;
        er_admit_keys(s, a, &keys);
        ending = &keys;
    }
    if (a->kind != ER_RUN_HANDLE)
        hook_report(s, a, ending);
    /* Nothing to settle: the lease is somebody else's, or it never had one. A failed hook
     * that could not run at shutdown becomes due again when its lease is over. */
    if (a->lot->is_lost || a->stop == ER_STOP_LOST || a->is_own ||
        (a->kind == ER_RUN_FAILED_HOOK && a->stop == ER_STOP_SHUTDOWN) ||
        outcome_room(settle) < 0) {
        a->state = ER_ENDED;
        er_attempt_gone(&s->lots, a);
        return;
    }
    o = &settle->outcomes[settle->n];
    outcome_make(s, a, ending, o);
    begin_and_end_tell(s, a, o);
    if (!settle->n)
        settle->oldest_ms = s->now_ms;
    settle->attempts[settle->n++] = a;
    (void)er_failpoint("after-result");
    a->state = ER_ENDED;
    /* What errand does for itself is not among the jobs somebody asked for. */
    if (o->kind != ERRAND_OUT_HAND_BACK && o->kind != ERRAND_OUT_HOOK_DONE &&
        o->kind != ERRAND_OUT_LIMIT && !a->plan->is_notify)
        s->ended_n++;
}
