/* drain.c: working what is READY in the caller's own process, one by one, for tests
 * (errand/testing.h). The rules are those of settle.c; what is left out is all that a
 * worker does for the sake of time and of other processes. */
#include "errand/testing.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "client/class.h"
#include "client/handle.h"
#include "core/events.h"
#include "worker/here.h"
#include "worker/outcome.h"
#include "worker/payload.h"

enum { LEASE_MS = 30000, REPEATS = 3, LOG_MAX = 64 << 10, SHOWN_MAX = 80 };
#define WORKER "drain"

struct drain {
    errand *e;
    const struct errand_drain_options *options;
    size_t queues_n;
    struct errand_arena *arena; /* of one job */
    struct er_buf log;
    uint32_t hints; /* of the last reserve */
    struct errand_drained drained;
};

/* What a job says about its attempt, all levels in one. */
struct levels {
    const struct errand_job_class *job_class; /* NULL: nobody here knows the name */
    struct er_options of_class, options;
    int32_t tries;
};

/* ------------------------------------------------------------------ the store */

/* A settle whose answer was lost is repeated, as a worker does: a token makes it
 * harmless. A reserve is not: what it took would be ours without our knowing. */
static int settle(struct drain *d, const struct errand_outcome *outcome,
                  struct errand_error *err)
{
    const struct errand_exchange_params p = {.outcomes = outcome, .outcomes_n = 1};
    struct errand_exchange_result r;
    struct errand_error inner;
    int rc = 0;

    for (int i = 0; i < REPEATS; i++) {
        inner = (struct errand_error){0};
        rc = er_store_exchange(d->e->store, &p, d->arena, &r, &inner);
        if (rc >= 0 || !inner.retryable)
            break;
    }
    if (rc < 0 && err)
        *err = inner;
    return rc < 0 ? rc : 0;
}

static int reserve(struct drain *d, struct errand_exchange_result *ret,
                   struct errand_error *err)
{
    const struct errand_exchange_params p = {.queues = d->options->queues,
                                             .queues_n = d->queues_n,
                                             .max = 1,
                                             .lease_ms = LEASE_MS,
                                             .worker = WORKER};

    return er_store_exchange(d->e->store, &p, d->arena, ret, err);
}

/* What a worker tells of beside what the store tells itself. A listener that misses it is
 * no reason to stop. */
static void tell(struct drain *d, const struct errand_reserved *job, enum er_told told)
{
    const struct errand_event event = {.at_ms = errand_test_time(d->e),
                                       .type = er_told_name(told),
                                       .id = job->id,
                                       .name = job->name,
                                       .queue = job->queue,
                                       .attempt = job->attempt,
                                       .duration_ms = -1,
                                       .delay_ms = -1};

    if (d->hints & ERRAND_HINT_EVENTS)
        er_store_events_add(d->e->store, &event, 1, 0, NULL);
}

/* ------------------------------------------------------------------ what a job says */

static int levels_read(struct drain *d, const struct errand_reserved *job,
                       struct levels *ret, struct errand_error *err)
{
    int rc = er_options_decode(job->options, d->arena, &ret->options, err);

    if (rc < 0)
        return er_error_wrap(err, rc, "options of job '%s'", job->name);
    ret->job_class = er_registry_find(job->name);
    if (ret->job_class &&
        (rc = er_class_options(ret->job_class, &ret->of_class, err)) < 0)
        return er_error_wrap(err, rc, "class '%s'", ret->job_class->name);
    er_options_fill(&ret->options, &ret->of_class);
    ret->tries = ret->options.has & ER_OPT_TRIES ? ret->options.tries : job->tries;
    if (!(ret->options.has & ER_OPT_QUEUE)) {
        ret->options.queue = job->queue;
        ret->options.has |= ER_OPT_QUEUE;
    }
    er_levels_below(d->e, &ret->options);
    return 0;
}

/* ------------------------------------------------------------------ an attempt */

static void on_log(void *ctx, const char *line, size_t len)
{
    struct er_buf *log = ctx;

    if (er_buf_add(log, line, len) == 0)
        er_buf_str(log, "\n");
}

static struct er_here run_of(struct drain *d, const struct errand_reserved *job,
                             const struct levels *levels, int32_t n)
{
    return (struct er_here){.job_class = levels->job_class,
                            .id = job->id.text,
                            .name = job->name,
                            .queue = job->queue,
                            .data = job->data,
                            .attempt = n,
                            .tries = levels->tries,
                            .timeout_ms = levels->options.timeout_ms,
                            .log = on_log,
                            .ctx = &d->log,
                            .store = d->e,
                            .reserved = job};
}

static int attempt(struct drain *d, const struct errand_reserved *job,
                   const struct levels *levels, int32_t n, struct er_here_answer *ret,
                   struct errand_error *err)
{
    const struct er_here run = run_of(d, job, levels, n);

    er_buf_reset(&d->log);
    return er_here_run(&run, ret, err);
}

/* What cannot be opened is kept from the hook as it is from the handler. */
static int hook(struct drain *d, struct errand_reserved *job, const struct levels *levels,
                struct errand_error *err)
{
    struct er_here run;

    if (er_payload_open(d->e, job, &levels->of_class, d->arena, &job->data, NULL) < 0)
        return 0;
    run = run_of(d, job, levels, job->attempt);
    return er_here_failed(&run, job->error, err);
}

static int shown(const struct er_buf *text)
{
    return text->len < SHOWN_MAX ? (int)text->len : SHOWN_MAX;
}

static struct errand_slice result_of(const struct er_here_answer *answer)
{
    return answer->result.len
               ? (struct errand_slice){answer->result.ptr, answer->result.len}
               : (struct errand_slice){"null", 4};
}

/* The second answer takes the place of the first. */
static void compare(struct drain *d, const struct errand_reserved *job,
                    const struct er_here_answer *first,
                    const struct er_here_answer *second)
{
    struct errand_error why = {0};
    char text[sizeof d->drained.differs];

    if (second->verdict != ERRAND_DONE)
        snprintf(text, sizeof text, "%s (%s): done the first time, then: %.120s",
                 job->name, job->id.text, second->error.message);
    else if (!er_json_agree(result_of(second), result_of(first), &why))
        snprintf(text, sizeof text, "%s (%s): its result was %.*s, then %.*s", job->name,
                 job->id.text, shown(&first->result), first->result.ptr,
                 shown(&second->result), second->result.ptr);
    else
        return;
    if (d->drained.differs_n++ == 0)
        memcpy(d->drained.differs, text, sizeof text);
}

static int attempt_again(struct drain *d, const struct errand_reserved *job,
                         const struct levels *levels, struct er_here_answer *answer,
                         struct errand_error *err)
{
    struct er_here_answer second;
    int rc = attempt(d, job, levels, job->attempt + 1, &second, err);

    if (rc < 0) {
        er_here_done(&second);
        return rc;
    }
    compare(d, job, answer, &second);
    er_here_done(answer);
    *answer = second;
    return 0;
}

/* ------------------------------------------------------------------ what follows */

/* `is_final`: no other attempt can do better. Without jitter: a test wants to know when.
 */
static void fail_or_retry(const struct errand_reserved *job, const struct levels *levels,
                          bool is_final, int64_t wait_ms, struct errand_outcome *o)
{
    struct er_retry retry = er_retry_of(job, &levels->options);

    retry.tries = levels->tries;
    retry.wait_ms = wait_ms;
    if (is_final)
        o->kind = ERRAND_OUT_FAIL;
    else
        er_outcome_retry(o, &retry, 0);
    o->hook_due =
        o->kind == ERRAND_OUT_FAIL && levels->job_class && levels->job_class->failed;
}

static void decide(struct drain *d, const struct errand_reserved *job,
                   const struct levels *levels, const struct er_here_answer *answer,
                   struct errand_outcome *o)
{
    o->log = (struct errand_slice){d->log.ptr, d->log.len};
    if (answer->verdict == ERRAND_DONE) {
        o->kind = ERRAND_OUT_DONE;
        o->result = (struct errand_slice){answer->result.ptr, answer->result.len};
        return;
    }
    if (answer->verdict == ERRAND_SNOOZE) {
        o->kind = ERRAND_OUT_SNOOZE;
        o->run_at_ms = o->ended_ms + answer->snooze_ms;
        return;
    }
    o->error =
        (struct errand_slice){answer->error.message, strlen(answer->error.message)};
    o->cause = answer->is_late ? ERRAND_CAUSE_TIMEOUT : ERRAND_CAUSE_ERROR;
    fail_or_retry(job, levels, answer->verdict == ERRAND_FAIL, answer->snooze_ms, o);
}

static void count(struct errand_drained *drained, enum errand_outcome_kind kind)
{
    drained->attempts += kind != ERRAND_OUT_HOOK_DONE;
    switch (kind) {
    case ERRAND_OUT_DONE:
        drained->completed++;
        break;
    case ERRAND_OUT_RETRY:
        drained->retried++;
        break;
    case ERRAND_OUT_FAIL:
        drained->failed++;
        break;
    case ERRAND_OUT_SNOOZE:
        drained->snoozed++;
        break;
    case ERRAND_OUT_HOOK_DONE:
        drained->hooks++;
        break;
    case ERRAND_OUT_HAND_BACK:
    case ERRAND_OUT_CANCELLED:
    case ERRAND_OUT_LIMIT:
        break;
    }
}

/* ------------------------------------------------------------------ one job */

/* An attempt that cannot begin; `is_final`: no other one can either. */
static int refuse(struct drain *d, const struct errand_reserved *job,
                  const struct levels *levels, const struct errand_error *why,
                  bool is_final, struct errand_outcome *o)
{
    const char *text = errand_arena_copy(d->arena, why->message, strlen(why->message));

    o->error = (struct errand_slice){text ? text : "", text ? strlen(text) : 0};
    o->cause = is_final ? ERRAND_CAUSE_ERROR : ERRAND_CAUSE_START;
    fail_or_retry(job, levels, is_final, 0, o);
    return 0;
}

static int work_job(struct drain *d, struct errand_reserved *job,
                    const struct levels *levels, struct errand_outcome *o,
                    struct er_here_answer *answer, struct errand_error *err)
{
    struct errand_error why = {0};
    int rc;

    if (!levels->job_class || !levels->job_class->handle) {
        errand_error_set(&why, ERRAND_EJOB, "this program has no job '%s'", job->name);
        return refuse(d, job, levels, &why, false, o);
    }
    if ((rc = er_payload_open(d->e, job, &levels->of_class, d->arena, &job->data, &why)) <
        0)
        return refuse(d, job, levels, &why, rc == ERRAND_ECORRUPT, o);
    if ((rc = er_payload_check(job->name, job->data, &levels->options, &why)) < 0)
        return refuse(d, job, levels, &why, rc != ERRAND_ENOMEM, o);
    tell(d, job, ER_TOLD_STARTED);
    if ((rc = attempt(d, job, levels, job->attempt, answer, err)) < 0)
        return rc;
    if (answer->is_late)
        tell(d, job, ER_TOLD_TIMED_OUT);
    if (d->options->twice && answer->verdict == ERRAND_DONE &&
        (rc = attempt_again(d, job, levels, answer, err)) < 0)
        return rc;
    o->ended_ms = errand_test_time(d->e);
    decide(d, job, levels, answer, o);
    return 0;
}

static int work(struct drain *d, struct errand_reserved *job, struct errand_error *err)
{
    struct errand_outcome o = {.token = job->token,
                               .key = job->key,
                               .id = job->id,
                               .name = job->name,
                               .queue = job->queue,
                               .attempt = job->attempt};
    struct er_here_answer answer = {0};
    struct errand_error why = {0};
    struct levels levels = {0};
    int rc;

    o.started_ms = o.ended_ms = errand_test_time(d->e);
    rc = levels_read(d, job, &levels, &why);
    if (job->kind == ERRAND_WORK_FAILED_HOOK) {
        rc = hook(d, job, &levels, err);
        o.kind = ERRAND_OUT_HOOK_DONE;
    } else if (rc < 0) {
        levels.tries = job->tries;
        rc = refuse(d, job, &levels, &why, false, &o);
    } else {
        rc = work_job(d, job, &levels, &o, &answer, err);
    }
    if (rc == 0 && (rc = settle(d, &o, err)) == 0)
        count(&d->drained, o.kind);
    er_here_done(&answer);
    return rc;
}

/* A job that dispatches itself would keep us for ever. */
static int too_many(struct drain *d, const struct errand_reserved *job, int64_t max,
                    struct errand_error *err)
{
    const struct errand_outcome o = {.token = job->token,
                                     .key = job->key,
                                     .id = job->id,
                                     .kind = ERRAND_OUT_HAND_BACK};
    int rc = settle(d, &o, err);

    return rc < 0 ? rc
                  : errand_error_set(err, ERRAND_ECONFLICT,
                                     "still not empty after %lld attempts: '%s' is next",
                                     (long long)max, job->name);
}

static int drain(struct drain *d, struct errand_error *err)
{
    int64_t max = d->options->max_attempts ? d->options->max_attempts : ERRAND_DRAIN_MAX;
    struct errand_reap_result reaped;
    int rc = er_store_reap(d->e->store, &(struct errand_reap_params){0}, d->arena,
                           &reaped, err);

    while (rc >= 0) {
        struct errand_exchange_result r;
        er_arena_reset(d->arena);
        if ((rc = reserve(d, &r, err)) < 0 || r.jobs_n == 0)
            break;
        if (d->drained.attempts >= max) {
            rc = too_many(d, &r.jobs[0], max, err);
            break;
        }
        d->hints = r.hints;
        rc = work(d, &r.jobs[0], err);
    }
    return rc < 0 ? rc : 0;
}

int errand_drain(errand *e, const struct errand_drain_options *options,
                 struct errand_drained *ret_drained, struct errand_error *err)
{
    static const struct errand_drain_options standard;
    struct drain d = {.e = e, .options = options ? options : &standard};
    int rc;

    while (d.options->queues && d.options->queues[d.queues_n])
        d.queues_n++;
    if (errand_get_fake(e))
        return errand_error_set(err, ERRAND_ECONFLICT,
                                "this handle is a fake, nothing runs: call "
                                "errand_restore first");
    if (d.options->max_attempts < 0)
        return errand_error_set(err, ERRAND_EINVAL, "max_attempts: %lld is negative",
                                (long long)d.options->max_attempts);
    if (!(d.arena = er_arena_new()))
        return er_error_nomem(err);
    er_buf_init(&d.log, LOG_MAX);
    rc = drain(&d, err);
    if (ret_drained)
        *ret_drained = d.drained;
    er_buf_done(&d.log);
    er_arena_free(d.arena);
    return rc;
}
