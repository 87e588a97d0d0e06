/* schedule.c: schedules, and the scheduler on its own thread. */
#include <stdlib.h>

#include "addon.h"

struct schedule {
    const char *name;
    struct errand_id id;
};

/* trigger(store, name) */
static int name_take(napi_env env, napi_value *args, struct en_op *op,
                     struct errand_error *err)
{
    struct schedule *s = op->own;

    return en_read_text(env, args[0], "schedule", &s->name, op->bag, err);
}

static int trigger_run(struct en_op *op, errand *e, struct errand_error *err)
{
    struct schedule *s = op->own;

    return errand_schedule_trigger(e, s->name, &s->id, err);
}

static napi_value trigger_answer(napi_env env, struct en_op *op)
{
    return en_text(env, ((const struct schedule *)op->own)->id.text);
}

const struct en_call en_schedule_calls[] = {
    {.name = "trigger",
     .size = sizeof(struct schedule),
     .take = name_take,
     .run = trigger_run,
     .answer = trigger_answer},
    {0},
};

/* ------------------------------------------------------------------ the scheduler */

struct scheduler {
    errand_scheduler *it;
};

static void scheduler_stop(void *arg)
{
    struct scheduler *s = arg;

    errand_scheduler_free(s->it);
    s->it = NULL;
}

static void on_collected(napi_env env, void *data, void *hint)
{
    struct scheduler *s = data;

    (void)hint;
    if (s->it) /* else the environment has ended */
        napi_remove_env_cleanup_hook(env, scheduler_stop, s);
    scheduler_stop(s);
    free(s);
}

/* schedulerStart(url): the scheduler. It opens the store here and now. */
static napi_value js_start(napi_env env, napi_callback_info info)
{
    struct scheduler *s = calloc(1, sizeof *s);
    struct en_bag *bag = en_bag_new();
    struct errand_error err = {0};
    napi_value url, value = NULL;
    const char *text;
    size_t n = 1;

    napi_get_cb_info(env, info, &n, &url, NULL, NULL);
    if (!s || !bag)
        en_nomem(&err);
    else if (en_read_text(env, url, "url", &text, bag, &err) == 0)
        errand_scheduler_start(text, NULL, NULL, &s->it, &err);
    if (s && s->it && napi_create_external(env, s, on_collected, NULL, &value) == napi_ok)
        napi_add_env_cleanup_hook(env, scheduler_stop, s);
    en_bag_free(bag);
    if (value)
        return value;
    if (s)
        scheduler_stop(s);
    free(s);
    en_throw(env, &err);
    return NULL;
}

static struct scheduler *scheduler_of(napi_env env, napi_callback_info info)
{
    napi_value arg;
    void *found = NULL;
    size_t n = 1;

    napi_get_cb_info(env, info, &n, &arg, NULL, NULL);
    napi_get_value_external(env, arg, &found);
    return found;
}

static napi_value js_stop(napi_env env, napi_callback_info info)
{
    struct scheduler *s = scheduler_of(env, info);

    if (s && s->it)
        errand_scheduler_stop(s->it);
    return NULL;
}

#define ENTRY(name, kind, member) \
    EN_FIELD(name, kind, struct errand_scheduler_entry, member)
static const struct en_field entry_fields[] = {
    ENTRY("name", EN_TEXT, name),          ENTRY("job", EN_TEXT, job),
    ENTRY("isPaused", EN_BOOL, is_paused), ENTRY("nextMs", EN_INT64, next_ms),
    ENTRY("lastMs", EN_INT64, last_ms),    ENTRY("missed", EN_INT64, missed_n),
    ENTRY("error", EN_TEXT, error),        {0},
};
static const struct en_field status_fields[] = {
    EN_FIELD("running", EN_BOOL, struct errand_scheduler_status, is_running),
    {"entries", EN_LIST, offsetof(struct errand_scheduler_status, entries),
     offsetof(struct errand_scheduler_status, entries_n),
     sizeof(struct errand_scheduler_entry), entry_fields},
    {0},
};

static napi_value js_status(napi_env env, napi_callback_info info)
{
    struct scheduler *s = scheduler_of(env, info);
    struct errand_scheduler_status *status = NULL;
    struct errand_error err = {0};
    napi_value value = NULL;

    if (!s || !s->it)
        return en_null(env);
    if (errand_scheduler_status(s->it, &status, &err) < 0)
        en_throw(env, &err);
    else
        value = en_object(env, status_fields, status);
    errand_scheduler_status_free(status);
    return value;
}

int en_scheduler_export(napi_env env, napi_value exports)
{
    if (en_function(env, exports, "schedulerStart", js_start, NULL) < 0 ||
        en_function(env, exports, "schedulerStop", js_stop, NULL) < 0)
        return -1;
    return en_function(env, exports, "schedulerStatus", js_status, NULL);
}
