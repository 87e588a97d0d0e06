/* dispatch.c: handing out one job, or many. */
#include "addon.h"

static const char *const pushed_words[] = {"inserted", "duplicate", "replaced",
                                           "extended", NULL};

/* ------------------------------------------------------------------ one */

struct dispatch {
    struct en_item item;
    struct errand_id id;
};

/* dispatch(store, name, json, options) */
static int dispatch_take(napi_env env, napi_value *args, struct en_op *op,
                         struct errand_error *err)
{
    struct dispatch *d = op->own;
    const char *data;
    int rc;

    if ((rc = en_read_text(env, args[0], "job name", &d->item.name, op->bag, err)) < 0 ||
        (rc = en_read_text(env, args[1], "data", &data, op->bag, err)) < 0)
        return rc;
    d->item.data = errand_text(data);
    return en_read(env, args[2], "options", en_options_fields, &d->item.options, op->bag,
                   err);
}

static int dispatch_run(struct en_op *op, errand *e, struct errand_error *err)
{
    struct dispatch *d = op->own;

    return errand_dispatch(e, d->item.name, d->item.data.ptr, &d->item.options, &d->id,
                           err);
}

/* { id, pushed } */
static napi_value dispatch_answer(napi_env env, struct en_op *op)
{
    const struct dispatch *d = op->own;
    napi_value answer = NULL;

    napi_create_object(env, &answer);
    napi_set_named_property(env, answer, "id", en_text(env, d->id.text));
    napi_set_named_property(env, answer, "pushed", en_text(env, pushed_words[op->rc]));
    return answer;
}

/* ------------------------------------------------------------------ many */

struct bulk {
    struct errand_dispatch_item *items;
    struct errand_id *ids;
    size_t n;
};

int en_items_take(napi_env env, napi_value value, const char *what, struct en_bag *bag,
                  struct errand_dispatch_item **ret, size_t *ret_n,
                  struct errand_error *err)
{
    struct en_item *given;
    struct errand_dispatch_item *items;
    int rc = en_read_list(env, value, what, en_item_fields, sizeof *given,
                          (void **)&given, ret_n, bag, err);

    if (rc < 0)
        return rc;
    if (!(items = en_bag_alloc(bag, (*ret_n + 1) * sizeof *items)))
        return en_nomem(err);
    for (size_t i = 0; i < *ret_n; i++)
        items[i] = (struct errand_dispatch_item){given[i].name, given[i].data,
                                                 &given[i].options};
    *ret = items;
    return 0;
}

/* bulk(store, items) */
static int bulk_take(napi_env env, napi_value *args, struct en_op *op,
                     struct errand_error *err)
{
    struct bulk *b = op->own;
    int rc = en_items_take(env, args[0], "jobs", op->bag, &b->items, &b->n, err);

    if (rc < 0)
        return rc;
    b->ids = en_bag_alloc(op->bag, (b->n + 1) * sizeof *b->ids);
    return b->ids ? 0 : en_nomem(err);
}

static int bulk_run(struct en_op *op, errand *e, struct errand_error *err)
{
    struct bulk *b = op->own;

    return errand_dispatch_bulk(e, b->items, b->n, b->ids, err);
}

/* { ids, inserted } */
static napi_value bulk_answer(napi_env env, struct en_op *op)
{
    const struct bulk *b = op->own;
    napi_value answer = NULL, ids = NULL;

    napi_create_object(env, &answer);
    napi_create_array_with_length(env, b->n, &ids);
    for (size_t i = 0; i < b->n; i++)
        napi_set_element(env, ids, (uint32_t)i, en_text(env, b->ids[i].text));
    napi_set_named_property(env, answer, "ids", ids);
    napi_set_named_property(env, answer, "inserted", en_number(env, op->rc));
    return answer;
}

const struct en_call en_dispatch_calls[] = {
    {.name = "dispatch",
     .size = sizeof(struct dispatch),
     .take = dispatch_take,
     .run = dispatch_run,
     .answer = dispatch_answer},
    {.name = "bulk",
     .size = sizeof(struct bulk),
     .take = bulk_take,
     .run = bulk_run,
     .answer = bulk_answer},
    {0},
};
