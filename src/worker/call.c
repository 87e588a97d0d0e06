/* call.c: a handler and the middleware around it.
 *
 * Each middleware gets a place in the list that lives on the stack of the one outside of
 * it: nothing is allocated, and one that runs the rest twice finds it as it was.
 *
 * The list head below is a mutable global for the reason that registry.c gives. */
#include "worker/call.h"

#include <string.h>

#include "base/error.h"
#include "client/asked.h"
#include "core/json.h"

static struct errand_middleware_for_all *for_all;

/* A place between two of them. */
struct errand_next {
    const struct errand_job_class *job_class;
    errand_job *job;
    const struct errand_middleware_for_all *all; /* the next one; NULL: none is left */
    const struct errand_middleware *own;         /* then these; NULL: none */
};

void errand_middleware_register(struct errand_middleware_for_all *middleware)
{
    struct errand_middleware_for_all **end = &for_all;

    for (; *end; end = &(*end)->next)
        if (*end == middleware)
            return; /* twice would tie the list to itself */
    middleware->next = NULL;
    *end = middleware;
}

/* A result that cannot be written (no memory) does not make the job one to run. */
static int skip(errand_job *job, const char *why)
{
    errand_job_result(job, why, NULL);
    return ERRAND_DONE;
}

static int call_own(const struct errand_next *next, struct errand_error *err)
{
    const struct errand_middleware *m = next->own;
    struct errand_next rest = *next;

    rest.own++;
    if (m->kind == ERRAND_MIDDLEWARE_USE)
        return m->use(next->job, &rest, m->config, err);
    if (m->kind == ERRAND_MIDDLEWARE_SKIP_IF && m->skip_if(next->job, m->config))
        return skip(next->job, "{\"skipped\":\"skip-if\"}");
    return errand_next_run(&rest, err);
}

int errand_next_run(errand_next *next, struct errand_error *err)
{
    struct errand_next rest = *next;

    if (next->all) {
        rest.all = next->all->next;
        return next->all->use(next->job, &rest, next->all->config, err);
    }
    if (next->own && next->own->kind != ERRAND_MIDDLEWARE_END)
        return call_own(next, err);
    return next->job_class->handle(next->job, err);
}

int er_call_handle(const struct errand_job_class *job_class, errand_job *job,
                   struct errand_error *err)
{
    struct errand_next first = {
        .job_class = job_class, .job = job, .all = for_all, .own = job_class->middleware};

    if (!first.all && !first.own)
        return job_class->handle(job, err);
    return errand_next_run(&first, err);
}

/* ------------------------------------------------------------------ the answer */

int er_call_verdict(const errand_job *job, int answered, struct errand_error *err)
{
    switch (answered) {
    case ERRAND_DONE:
        err->message[0] = '\0';
        return ERRAND_DONE;
    case ERRAND_RETRY:
    case ERRAND_FAIL:
        if (!err->message[0])
            errand_error_set(err, ERRAND_EJOB,
                             "the handler returned %s and gave no reason",
                             answered == ERRAND_FAIL ? "ERRAND_FAIL" : "ERRAND_RETRY");
        return answered;
    case ERRAND_SNOOZE:
        if (job->snooze_ms >= 0)
            return ERRAND_SNOOZE;
        errand_error_set(
            err, ERRAND_EJOB,
            "the handler returned ERRAND_SNOOZE without errand_job_snooze()");
        return ERRAND_RETRY;
    default:
        if (err->message[0])
            er_error_wrap(err, ERRAND_EJOB, "the handler returned %d", answered);
        else
            errand_error_set(err, ERRAND_EJOB,
                             "the handler returned %d, which is no verdict", answered);
        return ERRAND_RETRY;
    }
}

/* ------------------------------------------------------------------ keys */

static void put_key(struct er_buf *buf, const char *name, const char *key)
{
    if (!key)
        return;
    er_buf_printf(buf, "%s\"%s\":", buf->len > 1 ? "," : "", name);
    er_json_write_string(buf, key, strlen(key));
}

int er_call_keys(const struct errand_job_class *job_class, errand_job *job,
                 struct errand_error *err)
{
    struct er_keys keys;

    if (er_keys_make(job_class->middleware, job->name, job->data, job->arena, &keys,
                     err) < 0)
        return ERRAND_FAIL;
    er_buf_reset(&job->result);
    er_buf_str(&job->result, "{");
    put_key(&job->result, "unique", keys.unique);
    put_key(&job->result, "rate", keys.rate);
    put_key(&job->result, "concurrency", keys.concurrency);
    er_buf_str(&job->result, "}");
    if (!job->result.has_failed)
        return ERRAND_DONE;
    errand_error_set(err, ERRAND_ENOMEM, "out of memory");
    return ERRAND_FAIL;
}
