/* test_run.c: one attempt of a job for whoever tests it (errand/testing.h). */
#include "errand/testing.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "client/class.h"
#include "client/client.h"
#include "core/id.h"
#include "core/name.h"
#include "worker/here.h"

enum { LOG_MAX = 1 << 20 };

/* The caller sees the first member. */
struct owned_result {
    struct errand_test_result result;
    struct er_here_answer answer;
    struct er_buf log;
    char *text;                 /* of the result */
    struct errand_reserved job; /* as a store would have handed it out */
};

static void on_log(void *ctx, const char *line, size_t len)
{
    struct er_buf *log = ctx;

    /* A log that is too long is cut, as it is for the job of a worker. */
    if (er_buf_add(log, line, len) == 0)
        er_buf_str(log, "\n");
}

static int result_fill(struct owned_result *o, struct errand_error *err)
{
    struct errand_test_result *r = &o->result;
    const struct er_here_answer *a = &o->answer;

    r->verdict = a->verdict;
    r->is_timed_out = a->is_late;
    r->is_success = a->verdict == ERRAND_DONE && !a->is_late;
    if (!r->is_success)
        r->error = a->error;
    r->percent = a->percent;
    r->note = a->note;
    r->snooze = a->verdict == ERRAND_SNOOZE ? (double)a->snooze_ms / 1000 : 0;
    r->took_ms = a->took_ms;
    r->log = o->log.len ? o->log.ptr : "";
    if (a->result.len) {
        if (!(o->text = strndup(a->result.ptr, a->result.len)))
            return er_error_nomem(err);
        r->result = o->text;
    }
    return 0;
}

/* What it dispatches gets ids that follow from its own, so it has to have one. */
static int asks_begin(struct owned_result *o, struct er_here *run, errand *e,
                      struct errand_error *err)
{
    struct er_id_source source = {0};

    o->job =
        (struct errand_reserved){.name = run->name, .queue = run->queue, .attempt = 1};
    if (run->id)
        memcpy(o->job.id.text, run->id, strlen(run->id) + 1);
    else if (er_id_new(&source, errand_test_time(e), &o->job.id) < 0)
        return errand_error_set(err, ERRAND_EIO,
                                "the system gives no random bytes for an id");
    run->id = o->job.id.text;
    run->store = e;
    run->reserved = &o->job;
    return 0;
}

/* A store in memory that nobody pushes to: resolving wants a handle, and checks the data
 * as it is checked for everybody. What it says lives until the handle is closed. */
static int run_with(errand *e, const struct errand_test_options *options,
                    struct er_here *run, struct owned_result *o, struct errand_error *err)
{
    struct er_options all;
    int rc =
        er_client_resolve_now(e, run->job_class, run->data, &options->job, &all, err);

    if (rc < 0)
        return rc;
    run->queue = all.queue;
    run->tries = all.tries;
    run->timeout_ms = all.timeout_ms;
    if (options->e && (rc = asks_begin(o, run, options->e, err)) < 0)
        return rc;
    if ((rc = er_here_run(run, &o->answer, err)) < 0)
        return rc;
    return result_fill(o, err);
}

static int open_and_run(const struct errand_test_options *options, struct er_here *here,
                        struct owned_result *o, struct errand_error *err)
{
    struct errand_error inner = {0};
    errand *e;
    int rc;

    here->attempt = options->attempt;
    if (here->attempt < 0)
        return errand_error_set(err, ERRAND_EINVAL, "attempt: %d is negative",
                                here->attempt);
    if (!(e = errand_open("memory:", NULL, &inner))) {
        if (err)
            *err = inner;
        return inner.code;
    }
    rc = run_with(e, options, here, o, err);
    errand_close(e);
    return rc;
}

static int run(struct er_here *here, const struct errand_test_options *options,
               struct errand_test_result **ret, struct errand_error *err)
{
    static const struct errand_test_options standard;
    struct owned_result *o = calloc(1, sizeof *o);
    int rc;

    if (!o)
        return er_error_nomem(err);
    options = options ? options : &standard;
    er_buf_init(&o->log, LOG_MAX);
    here->log = on_log;
    here->ctx = &o->log;
    if (options->job.id.text[0])
        here->id = options->job.id.text;
    if ((rc = open_and_run(options, here, o, err)) == 0)
        *ret = &o->result;
    else
        errand_test_result_free(&o->result);
    return rc;
}

int errand_run_test_class(const struct errand_job_class *job_class, const char *data,
                          const struct errand_test_options *options,
                          struct errand_test_result **ret_result,
                          struct errand_error *err)
{
    struct er_here here = {.job_class = job_class,
                           .name = job_class->name,
                           .data = {data, data ? strlen(data) : 0}};

    if (!job_class->handle)
        return errand_error_set(err, ERRAND_EINVAL, "job class '%s' has no handler",
                                job_class->name ? job_class->name : "");
    return run(&here, options, ret_result, err);
}

int errand_run_test_job(const char *name, const char *data,
                        const struct errand_test_options *options,
                        struct errand_test_result **ret_result, struct errand_error *err)
{
    struct er_here here = {.name = name, .data = {data, data ? strlen(data) : 0}};
    int rc;

    if ((rc = er_name_check("job name", name, err)) < 0)
        return rc;
    if (!(here.job_class = er_registry_find(name)) || !here.job_class->handle)
        return errand_error_set(err, ERRAND_ENOTFOUND, "this program has no job '%s'",
                                name);
    return run(&here, options, ret_result, err);
}

void errand_test_result_free(struct errand_test_result *result)
{
    struct owned_result *o = (struct owned_result *)result;

    if (!o)
        return;
    er_here_done(&o->answer);
    er_buf_done(&o->log);
    free(o->text);
    free(o);
}
