/* jobs.c: looking at jobs, and what is done about those that failed. */
#include "addon.h"

/* ------------------------------------------------------------------ one */

struct one {
    struct errand_id id;
    struct errand_job_detail *detail;
};

static int one_take(napi_env env, napi_value *args, struct en_op *op,
                    struct errand_error *err)
{
    return en_read_id(env, args[0], "id", &((struct one *)op->own)->id, err);
}

static int get_run(struct en_op *op, errand *e, struct errand_error *err)
{
    struct one *o = op->own;

    return errand_get(e, &o->id, &o->detail, err);
}

static int find_run(struct en_op *op, errand *e, struct errand_error *err)
{
    struct one *o = op->own;

    return errand_failed_find(e, &o->id, &o->detail, err);
}

static napi_value one_answer(napi_env env, struct en_op *op)
{
    return en_object(env, en_detail_fields, ((const struct one *)op->own)->detail);
}

static void one_done(struct en_op *op)
{
    errand_detail_free(((struct one *)op->own)->detail);
}

static int retry_run(struct en_op *op, errand *e, struct errand_error *err)
{
    return errand_failed_retry(e, &((struct one *)op->own)->id, err);
}

static int delete_run(struct en_op *op, errand *e, struct errand_error *err)
{
    return errand_failed_delete(e, &((struct one *)op->own)->id, err);
}

/* ------------------------------------------------------------------ many */

struct many {
    struct errand_failed_filter filter;
    struct errand_id after;
    size_t max;
    double older_than;
    struct errand_failed_list *list;
    int64_t n;
};

#define MANY(name, kind, member) EN_FIELD(name, kind, struct many, member)
static const struct en_field many_fields[] = {
    MANY("queue", EN_TEXT, filter.queue),
    MANY("name", EN_TEXT, filter.name),
    MANY("tag", EN_TEXT, filter.tag),
    MANY("search", EN_TEXT, filter.search),
    MANY("sinceMs", EN_INT64, filter.since_ms),
    MANY("untilMs", EN_INT64, filter.until_ms),
    MANY("after", EN_ID, after),
    MANY("max", EN_SIZE, max),
    MANY("olderThan", EN_DOUBLE, older_than),
    {0},
};

static int many_take(napi_env env, napi_value *args, struct en_op *op,
                     struct errand_error *err)
{
    return en_read(env, args[0], "filter", many_fields, op->own, op->bag, err);
}

static int list_run(struct en_op *op, errand *e, struct errand_error *err)
{
    struct many *m = op->own;

    return errand_failed_list(e, &m->filter, m->after.text[0] ? &m->after : NULL, m->max,
                              &m->list, err);
}

static const struct en_field list_fields[] = {
    {"jobs", EN_LIST, offsetof(struct errand_failed_list, jobs),
     offsetof(struct errand_failed_list, jobs_n), sizeof(struct errand_job_info),
     en_job_fields},
    EN_FIELD("more", EN_BOOL, struct errand_failed_list, more),
    {0},
};

static napi_value list_answer(napi_env env, struct en_op *op)
{
    return en_object(env, list_fields, ((const struct many *)op->own)->list);
}

static void list_done(struct en_op *op)
{
    errand_failed_list_free(((struct many *)op->own)->list);
}

static int count_run(struct en_op *op, errand *e, struct errand_error *err)
{
    struct many *m = op->own;

    return errand_failed_count(e, &m->filter, &m->n, err);
}

static int retry_all_run(struct en_op *op, errand *e, struct errand_error *err)
{
    struct many *m = op->own;

    return errand_failed_retry_all(e, &m->filter, &m->n, err);
}

static int flush_run(struct en_op *op, errand *e, struct errand_error *err)
{
    struct many *m = op->own;

    return errand_failed_flush(e, &m->filter, m->older_than, &m->n, err);
}

static napi_value count_answer(napi_env env, struct en_op *op)
{
    return en_number(env, (double)((const struct many *)op->own)->n);
}

#define ONE(js, function, answers, frees)                                              \
    {                                                                                  \
        .name = (js), .size = sizeof(struct one), .take = one_take, .run = (function), \
        .answer = (answers), .done = (frees)                                           \
    }
#define COUNT(js, function)                                                              \
    {                                                                                    \
        .name = (js), .size = sizeof(struct many), .take = many_take, .run = (function), \
        .answer = count_answer                                                           \
    }
const struct en_call en_jobs_calls[] = {
    ONE("get", get_run, one_answer, one_done),
    ONE("failedFind", find_run, one_answer, one_done),
    ONE("failedRetry", retry_run, NULL, NULL),
    ONE("failedDelete", delete_run, NULL, NULL),
    {.name = "failedList",
     .size = sizeof(struct many),
     .take = many_take,
     .run = list_run,
     .answer = list_answer,
     .done = list_done},
    COUNT("failedCount", count_run),
    COUNT("failedRetryAll", retry_all_run),
    COUNT("failedFlush", flush_run),
    {0},
};
