/* engine_finish.c: what follows from an attempt. The rules are those of settle.c, with
 * options resolved as the client does: there is no runner that says what a class says. */
#include "worker/engine_inside.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "core/json.h"
#include "worker/outcome.h"

enum { TEXT_MAX = 64 << 10 };

static struct errand_slice text_of(const char *text)
{
    size_t len = text ? er_utf8_cut(text, strlen(text), TEXT_MAX) : 0;

    return (struct errand_slice){len ? text : NULL, len};
}

static void retry_or_fail(errand_engine *g, const struct er_held *h, double wait_s,
                          struct errand_outcome *o)
{
    struct er_retry retry = er_retry_of(h->reserved, &h->options);

    if (wait_s > 0)
        retry.wait_ms = (int64_t)fmax(1, round(wait_s * 1000));
    er_outcome_retry(o, &retry, er_engine_random(g));
}

static void decide(errand_engine *g, struct er_held *h,
                   const struct errand_engine_outcome *said, struct errand_outcome *o)
{
    o->error = text_of(said->error);
    o->log = text_of(said->log);
    if (h->job.timeout_ms > 0 &&
        er_engine_now() - h->started_mono_ms >= h->job.timeout_ms) {
        o->cause = ERRAND_CAUSE_TIMEOUT;
        snprintf(h->note, sizeof h->note, "timed out after %g s",
                 (double)h->job.timeout_ms / 1000);
        o->error = text_of(h->note);
        retry_or_fail(g, h, 0, o);
    } else if (said->verdict == ERRAND_DONE) {
        o->kind = ERRAND_OUT_DONE;
        o->result = text_of(said->result);
    } else if (h->is_cancel_wanted) {
        o->kind = ERRAND_OUT_CANCELLED;
        o->cause = ERRAND_CAUSE_CANCEL;
    } else if (said->verdict == ERRAND_SNOOZE) {
        o->kind = ERRAND_OUT_SNOOZE;
        o->run_at_ms = o->ended_ms + (int64_t)(said->wait * 1000 + 0.5);
    } else {
        o->cause = ERRAND_CAUSE_ERROR;
        if (said->verdict == ERRAND_FAIL)
            o->kind = ERRAND_OUT_FAIL;
        else
            retry_or_fail(g, h, said->wait, o);
        if (!o->error.len)
            o->error = text_of("the handler failed and gave no reason");
    }
    if (o->kind == ERRAND_OUT_FAIL)
        o->hook_due = said->has_failed_hook;
}

int errand_engine_outcome_check(const struct errand_engine_job *job,
                                const struct errand_engine_outcome *said,
                                struct errand_error *err)
{
    const struct er_json_limits limits = {.max_bytes = ER_RESULT_MAX};

    if (isnan(said->wait) || said->wait < 0 || said->wait > 366.0 * 86400)
        return errand_error_set(err, ERRAND_EINVAL,
                                "wait of '%s' is %g s, not from 0 to one year", job->name,
                                said->wait);
    if (!said->result)
        return 0;
    return er_json_check("result",
                         (struct errand_slice){said->result, strlen(said->result)},
                         &limits, err);
}

int errand_engine_finish(errand_engine *g, struct errand_engine_job *job,
                         const struct errand_engine_outcome *outcome,
                         struct errand_error *err)
{
    static const struct errand_engine_outcome done = {.verdict = ERRAND_DONE};
    const struct errand_engine_outcome *said = outcome ? outcome : &done;
    struct er_held *h = (struct er_held *)job;
    struct errand_outcome o = er_engine_outcome(g, h);
    int rc;

    if ((rc = errand_engine_outcome_check(job, said, err)) < 0)
        return rc;
    if (job->is_failed_hook)
        o.kind = ERRAND_OUT_HOOK_DONE;
    else
        decide(g, h, said, &o);
    if (o.cause == ERRAND_CAUSE_TIMEOUT && !h->is_late_told) {
        h->is_late_told = true; /* also when it is finished once more */
        er_engine_tell_late(g, h);
    }
    return er_engine_settle(g, h, &o, err);
}

int errand_engine_progress(errand_engine *g, struct errand_engine_job *job, int percent,
                           const char *note, struct errand_error *err)
{
    struct er_held *h = (struct er_held *)job;
    size_t len = note ? er_utf8_cut(note, strlen(note), sizeof h->note - 1) : 0;

    (void)g;
    if (percent < 0 || percent > 100)
        return errand_error_set(err, ERRAND_EINVAL,
                                "progress of '%s' is %d, not from 0 to 100", job->name,
                                percent);
    h->percent = percent;
    h->has_progress = true;
    if (len)
        memcpy(h->note, note, len);
    h->note[len] = '\0';
    return 0;
}
