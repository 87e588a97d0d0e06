/* here.c: one attempt in this process. */
#include "worker/here.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "core/clock.h"
#include "core/id.h"
#include "worker/ask.h"
#include "worker/call.h"

struct here {
    const struct er_here *run;
    struct er_here_answer *answer;
    struct er_job_host host;
    struct errand_job job;
    struct errand_id id;
    char *data; /* ours: handlers want a NUL behind it */
    struct er_asker asker;
};

/* ------------------------------------------------------------------ the host */

static int on_progress(void *ctx, int percent, const char *note, struct errand_error *err)
{
    struct er_here_answer *answer = ((struct here *)ctx)->answer;
    size_t len = er_utf8_cut(note, strlen(note), sizeof answer->note - 1);

    (void)err;
    answer->percent = percent;
    memcpy(answer->note, note, len);
    answer->note[len] = '\0';
    return 0;
}

static bool is_over(const struct here *h)
{
    return h->job.timeout_ms > 0 &&
           er_clock_mono_ms(NULL) - h->job.started_mono_ms >= h->job.timeout_ms;
}

static bool on_stopping(void *ctx)
{
    return is_over(ctx);
}

static void on_log(void *ctx, const char *line, size_t len)
{
    const struct er_here *run = ((struct here *)ctx)->run;

    run->log(run->ctx, line, len);
}

static int on_ask(void *ctx, int kind, struct errand_slice text, struct errand_slice *ret,
                  struct errand_error *err)
{
    struct here *h = ctx;
    struct er_buf answer;
    int rc;

    er_buf_init(&answer, ER_FRAME_MAX);
    if ((rc = er_ask_answer(h->run->store, &h->asker, (enum er_ask_kind)kind, text,
                            &answer, err)) == 0) {
        *ret = er_arena_slice(h->job.arena, answer.ptr, answer.len);
        rc = ret->ptr ? 0 : er_error_nomem(err);
    }
    er_buf_done(&answer);
    return rc;
}

/* ------------------------------------------------------------------ one attempt */

static int id_make(struct here *h, struct errand_error *err)
{
    struct er_id_source source = {0};

    if (h->run->id)
        return 0;
    if (er_id_new(&source, er_clock_wall_ms(NULL), &h->id) < 0)
        return errand_error_set(err, ERRAND_EIO,
                                "the system gives no random bytes for an id");
    return 0;
}

static int job_make(struct here *h, struct errand_error *err)
{
    const struct er_here *run = h->run;
    struct errand_slice data = run->data;
    int rc;

    if (!data.ptr)
        data = (struct errand_slice){"null", 4};
    h->host = (struct er_job_host){.progress = on_progress,
                                   .is_stopping = on_stopping,
                                   .log = run->log ? on_log : NULL,
                                   .ask = run->store ? on_ask : NULL,
                                   .ctx = h};
    h->asker.job = run->reserved;
    if (run->reserved && run->reserved->kind == ERRAND_WORK_FAILED_HOOK)
        h->asker.kind = ER_RUN_FAILED_HOOK;
    if ((rc = id_make(h, err)) < 0)
        return rc;
    if (er_job_init(&h->job, &h->host) < 0 || !(h->data = malloc(data.len + 1)))
        return er_error_nomem(err);
    memcpy(h->data, data.ptr, data.len);
    h->data[data.len] = '\0';
    er_job_begin(&h->job);
    h->job.id = run->id ? run->id : h->id.text;
    h->job.name = run->name ? run->name : run->job_class->name;
    h->job.queue = run->queue ? run->queue : "default";
    h->job.data = (struct errand_slice){h->data, data.len};
    h->job.attempt = run->attempt ? run->attempt : 1;
    h->job.tries = run->tries ? run->tries : 1;
    h->job.timeout_ms = run->timeout_ms;
    h->job.started_mono_ms = er_clock_mono_ms(NULL);
    return 0;
}

/* What it said does not count any more, as it would not if it had been killed. */
static void time_out(struct here *h)
{
    struct er_here_answer *answer = h->answer;

    answer->is_late = true;
    answer->verdict = ERRAND_RETRY;
    errand_error_set(&answer->error, ERRAND_ETIMEOUT, "timed out after %g s",
                     (double)h->job.timeout_ms / 1000);
    er_buf_reset(&h->job.result);
    /* a hook counts what it dispatches by itself */
    h->asker.kind = ER_RUN_TIMED_OUT_HOOK;
    h->asker.dispatched_n = 0;
    if (h->run->job_class->timed_out)
        h->run->job_class->timed_out(&h->job);
}

static int attempt(struct here *h, struct errand_error *err)
{
    struct er_here_answer *answer = h->answer;
    int verdict = er_call_handle(h->run->job_class, &h->job, &answer->error);

    answer->took_ms = er_clock_mono_ms(NULL) - h->job.started_mono_ms;
    answer->verdict = er_call_verdict(&h->job, verdict, &answer->error);
    if (answer->verdict == ERRAND_SNOOZE)
        answer->snooze_ms = h->job.snooze_ms;
    if (answer->verdict == ERRAND_RETRY && h->job.retry_ms >= 0)
        answer->snooze_ms = h->job.retry_ms ? h->job.retry_ms : 1; /* 0: not said */
    if (is_over(h))
        time_out(h);
    if (er_buf_add(&answer->result, h->job.result.ptr, h->job.result.len) < 0)
        return er_error_nomem(err);
    return 0;
}

int er_here_run(const struct er_here *run, struct er_here_answer *ret,
                struct errand_error *err)
{
    struct here h = {.run = run, .answer = ret};
    int rc;

    *ret = (struct er_here_answer){.percent = -1};
    er_buf_init(&ret->result, ER_RESULT_MAX + 1);
    if ((rc = job_make(&h, err)) == 0)
        rc = attempt(&h, err);
    er_job_done(&h.job);
    free(h.data);
    return rc;
}

int er_here_failed(const struct er_here *run, struct errand_slice error,
                   struct errand_error *err)
{
    struct errand_error cause = {0};
    struct er_here_answer answer = {0};
    struct here h = {.run = run, .answer = &answer};
    int rc = 0;

    errand_error_set(&cause, ERRAND_EJOB, "%.*s", (int)error.len,
                     error.len ? error.ptr : "");
    if (run->job_class && run->job_class->failed && (rc = job_make(&h, err)) == 0)
        run->job_class->failed(&h.job, &cause);
    er_job_done(&h.job);
    free(h.data);
    return rc;
}

void er_here_done(struct er_here_answer *answer)
{
    er_buf_done(&answer->result);
}
