/* flow.c: chains, batches, and looking at one. */
#include <string.h>

#include "addon.h"

/* ------------------------------------------------------------------ storing one */

/* What holds for all of it: { id, name, allowFailures, onSuccess, onFailure, finally }.
 */
struct told_group {
    struct errand_batch_options options;
    struct en_item *hooks[3];
};

#define GROUP(name, kind, member) EN_FIELD(name, kind, struct told_group, member)
#define GROUP_HOOK(name, i)                                          \
    {                                                                \
        (name), EN_POINTER, offsetof(struct told_group, hooks[i]),   \
            .size = sizeof(struct en_item), .fields = en_item_fields \
    }
static const struct en_field group_fields[] = {
    GROUP("id", EN_ID, options.id),
    GROUP("name", EN_TEXT, options.name),
    GROUP("allowFailures", EN_BOOL, options.allow_failures),
    GROUP_HOOK("onSuccess", 0),
    GROUP_HOOK("onFailure", 1),
    GROUP_HOOK("finally", 2),
    {0},
};

struct group {
    struct told_group told;
    struct errand_dispatch_item hooks[3];
    struct errand_dispatch_item *items;
    size_t n;
    struct errand_id id;
};

static const struct errand_dispatch_item *hook_of(struct group *g, int i)
{
    const struct en_item *told = g->told.hooks[i];

    if (!told)
        return NULL;
    g->hooks[i] = (struct errand_dispatch_item){told->name, told->data, &told->options};
    return &g->hooks[i];
}

/* chain(store, items, options), batch(store, items, options) */
static int group_take(napi_env env, napi_value *args, struct en_op *op,
                      struct errand_error *err)
{
    struct group *g = op->own;
    int rc;

    if ((rc = en_items_take(env, args[0], "jobs", op->bag, &g->items, &g->n, err)) < 0 ||
        (rc = en_read(env, args[1], "options", group_fields, &g->told, op->bag, err)) < 0)
        return rc;
    g->told.options.on_success = hook_of(g, 0);
    g->told.options.on_failure = hook_of(g, 1);
    g->told.options.finally = hook_of(g, 2);
    return 0;
}

static int chain_run(struct en_op *op, errand *e, struct errand_error *err)
{
    struct group *g = op->own;

    return errand_chain(e, g->items, g->n, &g->told.options, &g->id, err);
}

static int batch_run(struct en_op *op, errand *e, struct errand_error *err)
{
    struct group *g = op->own;

    return errand_batch(e, g->items, g->n, &g->told.options, &g->id, err);
}

static napi_value group_answer(napi_env env, struct en_op *op)
{
    return en_text(env, ((const struct group *)op->own)->id.text);
}

/* ------------------------------------------------------------------ looking at one */

struct look {
    struct errand_id id;
    struct errand_batch_result *result;
};

static const struct en_field failure_fields[] = {
    EN_FIELD("id", EN_ID, struct errand_failure, id),
    EN_FIELD("name", EN_TEXT, struct errand_failure, name),
    EN_FIELD("data", EN_JSON, struct errand_failure, data),
    EN_FIELD("error", EN_JSON, struct errand_failure, error),
    {0},
};

#define RESULT(name, kind, member) \
    EN_FIELD(name, kind, struct errand_batch_result, member)
const struct en_field en_batch_fields[] = {
    RESULT("id", EN_ID, id),
    RESULT("name", EN_TEXT, name),
    RESULT("kind", EN_TEXT, kind),
    RESULT("allowFailures", EN_BOOL, allow_failures),
    RESULT("isCancelled", EN_BOOL, is_cancelled),
    RESULT("total", EN_INT64, total),
    RESULT("pending", EN_INT64, pending),
    RESULT("successful", EN_INT64, successful),
    RESULT("failed", EN_INT64, failed),
    RESULT("cancelled", EN_INT64, cancelled),
    RESULT("percent", EN_INT, percent),
    RESULT("createdMs", EN_INT64, created_ms),
    RESULT("endedMs", EN_INT64, ended_ms),
    {"failures", EN_LIST, offsetof(struct errand_batch_result, failures),
     offsetof(struct errand_batch_result, failures_n), sizeof(struct errand_failure),
     failure_fields},
    {0},
};

/* batchGet(store, id), batchCancel(store, id) */
static int look_take(napi_env env, napi_value *args, struct en_op *op,
                     struct errand_error *err)
{
    return en_read_id(env, args[0], "id", &((struct look *)op->own)->id, err);
}

static int look_run(struct en_op *op, errand *e, struct errand_error *err)
{
    struct look *l = op->own;

    return errand_batch_get(e, &l->id, &l->result, err);
}

static napi_value look_answer(napi_env env, struct en_op *op)
{
    return en_object(env, en_batch_fields, ((const struct look *)op->own)->result);
}

static void look_done(struct en_op *op)
{
    errand_batch_result_free(((struct look *)op->own)->result);
}

static int cancel_run(struct en_op *op, errand *e, struct errand_error *err)
{
    return errand_batch_cancel(e, &((struct look *)op->own)->id, err);
}

static napi_value count_answer(napi_env env, struct en_op *op)
{
    return en_number(env, op->rc);
}

const struct en_call en_flow_calls[] = {
    {.name = "chain",
     .size = sizeof(struct group),
     .take = group_take,
     .run = chain_run,
     .answer = group_answer},
    {.name = "batch",
     .size = sizeof(struct group),
     .take = group_take,
     .run = batch_run,
     .answer = group_answer},
    {.name = "batchGet",
     .size = sizeof(struct look),
     .take = look_take,
     .run = look_run,
     .answer = look_answer,
     .done = look_done},
    {.name = "batchCancel",
     .size = sizeof(struct look),
     .take = look_take,
     .run = cancel_run,
     .answer = count_answer},
    {0},
};
