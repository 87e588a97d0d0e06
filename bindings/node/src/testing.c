/* testing.c: fakes, and the time of a test. */
#include "addon.h"

struct testing {
    const char *name;
    double number;
    errand *e;
};

static int fake_run(struct en_op *op, errand *e, struct errand_error *err)
{
    (void)op;
    return errand_fake(e, err);
}

/* recorded(store): all that was recorded, as an array. Only by recordedSync: what it
 * reads is the store's, whose thread waits until the values are made. */
static int recorded_run(struct en_op *op, errand *e, struct errand_error *err)
{
    (void)err;
    ((struct testing *)op->own)->e = e;
    return 0;
}

static const char *const ways[] = {"dispatch", "sync",  "chain",    "batch",
                                   "flow",     "after", "schedule", NULL};

#define FAKE(name, kind, member) EN_FIELD(name, kind, struct errand_fake_job, member)
static const struct en_field fake_fields[] = {
    FAKE("name", EN_TEXT, name),
    FAKE("data", EN_JSON, data),
    FAKE("id", EN_ID, id),
    {"way", EN_WORD, offsetof(struct errand_fake_job, way), .words = ways},
    FAKE("queue", EN_TEXT, queue),
    FAKE("delayMs", EN_INT64, delay_ms),
    FAKE("runAtMs", EN_INT64, run_at_ms),
    FAKE("tries", EN_INT, tries),
    FAKE("priority", EN_INT, priority),
    FAKE("timeout", EN_DOUBLE, timeout),
    FAKE("unique", EN_TEXT, unique),
    FAKE("tags", EN_TEXTS, tags),
    FAKE("batch", EN_ID, batch),
    FAKE("isDuplicate", EN_BOOL, is_duplicate),
    {0},
};

static napi_value recorded_answer(napi_env env, struct en_op *op)
{
    const struct testing *t = op->own;
    const struct errand_fake_job *job;
    napi_value list = NULL;

    napi_create_array(env, &list);
    for (uint32_t i = 0; (job = errand_fake_dispatched(t->e, NULL, i)); i++)
        napi_set_element(env, list, i, en_object(env, fake_fields, job));
    return list;
}

/* setTime(store, ms), pass(store, seconds) */
static int number_take(napi_env env, napi_value *args, struct en_op *op,
                       struct errand_error *err)
{
    return en_read_number(env, args[0], "time", &((struct testing *)op->own)->number,
                          err);
}

static int set_time_run(struct en_op *op, errand *e, struct errand_error *err)
{
    return errand_test_set_time(e, (int64_t)((struct testing *)op->own)->number, err);
}

static int pass_run(struct en_op *op, errand *e, struct errand_error *err)
{
    return errand_test_pass(e, ((struct testing *)op->own)->number, err);
}

#define TESTING(js, takes, function, answers)                          \
    {                                                                  \
        .name = (js), .size = sizeof(struct testing), .take = (takes), \
        .run = (function), .answer = (answers)                         \
    }
const struct en_call en_testing_calls[] = {
    TESTING("fake", NULL, fake_run, NULL),
    TESTING("recorded", NULL, recorded_run, recorded_answer),
    TESTING("setTime", number_take, set_time_run, NULL),
    TESTING("pass", number_take, pass_run, NULL),
    {0},
};
