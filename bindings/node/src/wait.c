/* wait.c: waiting for the end of a job or a batch. JavaScript keeps a store for this
 * alone, since its thread sleeps meanwhile. */
#include "addon.h"

struct wait {
    struct errand_id id;
    double ms;
    bool is_over;
    struct errand_batch_result *result;
};

/* wait(store, id, ms), batchWait(store, id, ms): null when the time is over */
static int wait_take(napi_env env, napi_value *args, struct en_op *op,
                     struct errand_error *err)
{
    struct wait *w = op->own;
    int rc = en_read_id(env, args[0], "id", &w->id, err);

    return rc < 0 ? rc : en_read_number(env, args[1], "time", &w->ms, err);
}

static int late_is_no_error(int rc)
{
    return rc == ERRAND_ETIMEOUT ? 0 : rc;
}

static int job_run(struct en_op *op, errand *e, struct errand_error *err)
{
    struct wait *w = op->own;
    int rc = errand_wait(e, &w->id, (int64_t)w->ms, err);

    w->is_over = rc >= 0;
    return late_is_no_error(rc);
}

static napi_value job_answer(napi_env env, struct en_op *op)
{
    const struct wait *w = op->own;

    return w->is_over ? en_text(env, en_state_words[op->rc]) : en_null(env);
}

static int batch_run(struct en_op *op, errand *e, struct errand_error *err)
{
    struct wait *w = op->own;
    /* Of a batch, 0 would be for ever. */
    const struct errand_batch_waiter waiter = {.timeout_ms =
                                                   w->ms > 0 ? (int64_t)w->ms : -1};
    int rc = errand_batch_wait(e, &w->id, &waiter, &w->result, err);

    w->is_over = rc >= 0;
    return late_is_no_error(rc);
}

static napi_value batch_answer(napi_env env, struct en_op *op)
{
    const struct wait *w = op->own;

    return w->is_over ? en_object(env, en_batch_fields, w->result) : en_null(env);
}

static void batch_done(struct en_op *op)
{
    errand_batch_result_free(((struct wait *)op->own)->result);
}

const struct en_call en_wait_calls[] = {
    {.name = "wait",
     .size = sizeof(struct wait),
     .take = wait_take,
     .run = job_run,
     .answer = job_answer},
    {.name = "batchWait",
     .size = sizeof(struct wait),
     .take = wait_take,
     .run = batch_run,
     .answer = batch_answer,
     .done = batch_done},
    {0},
};
