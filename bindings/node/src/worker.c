/* worker.c: what JavaScript sees of a worker. See worker.h. */
#include "worker.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* ------------------------------------------------------------------ what is told */

#define TOLD(name, kind, member) EN_FIELD(name, kind, struct en_told, member)
static const struct en_field told_fields[] = {
    TOLD("kind", EN_TEXT, kind),
    TOLD("text", EN_TEXT, text),
    TOLD("name", EN_TEXT, name),
    TOLD("queue", EN_TEXT, queue),
    TOLD("id", EN_ID, id),
    TOLD("data", EN_JSON, data),
    TOLD("error", EN_JSON, error),
    TOLD("place", EN_INT, place),
    TOLD("serial", EN_INT64, serial),
    TOLD("attempt", EN_INT32, attempt),
    TOLD("tries", EN_INT32, tries),
    TOLD("timeoutMs", EN_INT64, timeout_ms),
    TOLD("isFailedHook", EN_BOOL, is_failed_hook),
    {0},
};

static void on_told(napi_env env, napi_value function, void *context, void *data)
{
    struct en_told *told = data;
    napi_value value;

    (void)context;
    if (env && function) {
        value = en_object(env, told_fields, told);
        napi_call_function(env, en_undefined(env), function, 1, &value, NULL);
    }
    en_bag_free(told->bag);
}

/* ------------------------------------------------------------------ start, stop */

static void thread_end(struct en_worker *w)
{
    if (!w->has_thread)
        return;
    pthread_mutex_lock(&w->lock);
    w->stop_wish = 2;
    pthread_mutex_unlock(&w->lock);
    en_worker_wake(w);
    pthread_join(w->thread, NULL);
    w->has_thread = false;
}

/* The environment ends: what runs is handed back. */
static void on_env_end(void *arg)
{
    struct en_worker *w = arg;

    thread_end(w);
    if (w->tell)
        napi_release_threadsafe_function(w->tell, napi_tsfn_abort);
    w->tell = NULL;
}

static void worker_free(struct en_worker *w)
{
    on_env_end(w);
    for (size_t i = 0; i < w->places_n; i++)
        en_bag_free(w->places[i].bag);
    if (w->wake_fd >= 0)
        close(w->wake_fd);
    pthread_mutex_destroy(&w->lock);
    en_bag_free(w->bag);
    free(w);
}

static void on_collected(napi_env env, void *data, void *hint)
{
    struct en_worker *w = data;

    (void)hint;
    if (w->tell) /* else the environment has ended */
        napi_remove_env_cleanup_hook(env, on_env_end, w);
    worker_free(w);
}

#define OPTION(name, kind, member) EN_FIELD(name, kind, struct en_worker_options, member)
static const struct en_field options_fields[] = {
    OPTION("url", EN_TEXT, url),
    OPTION("folder", EN_TEXT, folder),
    {"config", EN_STRUCT, offsetof(struct en_worker_options, config),
     .fields = en_config_fields},
    OPTION("queues", EN_TEXTS, engine.queues),
    OPTION("name", EN_TEXT, engine.name),
    OPTION("lease", EN_DOUBLE, engine.lease),
    OPTION("sleep", EN_DOUBLE, engine.sleep),
    OPTION("concurrency", EN_INT, concurrency),
    OPTION("maxJobs", EN_INT64, max_jobs),
    OPTION("stopWhenEmpty", EN_BOOL, stop_when_empty),
    OPTION("grace", EN_DOUBLE, grace),
    {0},
};
enum { PLACES_MOST = 10000 };

static int options_read(napi_env env, napi_value value, struct en_worker *w,
                        struct errand_error *err)
{
    int rc = en_read(env, value, "options", options_fields, &w->options, w->bag, err);

    if (rc < 0)
        return rc;
    if (w->options.concurrency < 1 || w->options.concurrency > PLACES_MOST)
        return errand_error_set(err, ERRAND_EINVAL,
                                "concurrency is a whole number from 1 to %d, not %d",
                                PLACES_MOST, w->options.concurrency);
    if (!(w->options.grace >= 0) || w->options.grace > 86400)
        return errand_error_set(err, ERRAND_EINVAL, "grace is %g s, not from 0 to a day",
                                w->options.grace);
    w->places = en_bag_alloc(w->bag, (size_t)w->options.concurrency * sizeof *w->places);
    if (!w->places)
        return en_nomem(err);
    w->places_n = (size_t)w->options.concurrency;
    return 0;
}

static int worker_start(napi_env env, napi_value *args, struct en_worker *w,
                        struct errand_error *err)
{
    int rc;

    if ((rc = options_read(env, args[0], w, err)) < 0)
        return rc;
    if ((w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
        return errand_error_set(err, ERRAND_EIO, "no descriptor for a worker");
    if (napi_create_threadsafe_function(env, args[1], NULL, en_text(env, "errand worker"),
                                        0, 1, NULL, NULL, w, on_told,
                                        &w->tell) != napi_ok)
        return en_failed(err);
    if (pthread_create(&w->thread, NULL, en_worker_main, w) != 0)
        return errand_error_set(err, ERRAND_ENOMEM, "a thread for the worker");
    w->has_thread = true;
    napi_add_env_cleanup_hook(env, on_env_end, w);
    return 0;
}

/* workerStart(options, told): a worker, which holds the process until it has ended. */
static napi_value js_start(napi_env env, napi_callback_info info)
{
    struct en_worker *w = calloc(1, sizeof *w);
    struct errand_error err = {0};
    napi_value args[2], value = NULL;
    size_t n = 2;

    napi_get_cb_info(env, info, &n, args, NULL, NULL);
    if (!w || !(w->bag = en_bag_new())) {
        free(w);
        en_nomem(&err);
        en_throw(env, &err);
        return NULL;
    }
    w->wake_fd = -1;
    pthread_mutex_init(&w->lock, NULL);
    if (worker_start(env, args, w, &err) < 0) {
        worker_free(w);
        en_throw(env, &err);
        return NULL;
    }
    napi_create_external(env, w, on_collected, NULL, &value);
    return value;
}

/* ------------------------------------------------------------------ calls */

struct call {
    struct en_worker *w;
    struct en_place *place;
    uint32_t serial;
    napi_value rest[3];
};

/* (worker, place, serial, …) */
static bool call_take(napi_env env, napi_callback_info info, struct call *ret)
{
    napi_value args[6];
    size_t n = 6;
    int64_t place = -1, serial = -1;

    napi_get_cb_info(env, info, &n, args, NULL, NULL);
    if (napi_get_value_external(env, args[0], (void **)&ret->w) != napi_ok ||
        napi_get_value_int64(env, args[1], &place) != napi_ok ||
        napi_get_value_int64(env, args[2], &serial) != napi_ok || place < 0 ||
        (size_t)place >= ret->w->places_n)
        return false;
    ret->place = &ret->w->places[place];
    ret->serial = (uint32_t)serial;
    memcpy(ret->rest, args + 3, sizeof ret->rest);
    return true;
}

/* workerBegin(worker, place, serial, hasFailedHook): false: it is somebody else's now. */
static napi_value js_begin(napi_env env, napi_callback_info info)
{
    struct call c;
    bool has_failed_hook = false, is_ours;

    if (!call_take(env, info, &c))
        return en_bool(env, false);
    napi_get_value_bool(env, c.rest[0], &has_failed_hook);
    pthread_mutex_lock(&c.w->lock);
    is_ours = c.place->serial == c.serial && c.place->state == EN_GIVEN;
    if (is_ours) {
        c.place->state = EN_BEGUN;
        c.place->has_failed_hook = has_failed_hook;
    }
    pthread_mutex_unlock(&c.w->lock);
    return en_bool(env, is_ours);
}

static const char *const verdicts[] = {"done", "retry", "fail", "snooze", NULL};
#define OUTCOME(name, kind, member) \
    EN_FIELD(name, kind, struct errand_engine_outcome, member)
static const struct en_field outcome_fields[] = {
    {"verdict", EN_WORD, offsetof(struct errand_engine_outcome, verdict),
     .words = verdicts},
    OUTCOME("error", EN_TEXT, error),
    OUTCOME("result", EN_TEXT, result),
    OUTCOME("log", EN_TEXT, log),
    OUTCOME("wait", EN_DOUBLE, wait),
    {0},
};

static void place_end(const struct call *c, const struct errand_engine_outcome *outcome,
                      struct en_bag *bag)
{
    struct en_place *p = c->place;

    pthread_mutex_lock(&c->w->lock);
    if (p->serial == c->serial && (p->state == EN_BEGUN || p->state == EN_FENCED)) {
        p->outcome = *outcome;
        p->outcome.has_failed_hook = p->has_failed_hook;
        p->state = EN_ENDED;
        p->bag = bag;
        bag = NULL;
    }
    pthread_mutex_unlock(&c->w->lock);
    en_bag_free(bag);
    en_worker_wake(c->w);
}

/* workerFinish(worker, place, serial, outcome) */
static napi_value js_finish(napi_env env, napi_callback_info info)
{
    struct errand_engine_outcome outcome = {0};
    struct en_bag *bag = en_bag_new();
    struct errand_error err = {0};
    struct call c = {0};

    if (!bag)
        en_nomem(&err);
    else if (!call_take(env, info, &c))
        errand_error_set(&err, ERRAND_EINVAL, "this is no place of a worker");
    else
        en_read(env, c.rest[0], "outcome", outcome_fields, &outcome, bag, &err);
    if (!err.code && c.place) {
        place_end(&c, &outcome, bag);
        return NULL;
    }
    en_bag_free(bag);
    en_throw(env, &err);
    return NULL;
}

/* workerProgress(worker, place, serial, percent, note) */
static napi_value js_progress(napi_env env, napi_callback_info info)
{
    struct call c;
    int32_t percent;
    size_t len;

    if (!call_take(env, info, &c) ||
        napi_get_value_int32(env, c.rest[0], &percent) != napi_ok || percent < 0 ||
        percent > 100)
        return en_bool(env, false);
    pthread_mutex_lock(&c.w->lock);
    if (c.place->serial == c.serial) {
        c.place->percent = percent;
        c.place->note[0] = '\0';
        napi_get_value_string_utf8(env, c.rest[1], c.place->note, sizeof c.place->note,
                                   &len);
        c.place->has_progress = true;
    }
    pthread_mutex_unlock(&c.w->lock);
    en_worker_wake(c.w);
    return en_bool(env, true);
}

/* workerStop(worker, isNow): drains within the grace, or hands back what runs. */
static napi_value js_stop(napi_env env, napi_callback_info info)
{
    struct en_worker *w = NULL;
    napi_value args[2];
    bool is_now = false;
    size_t n = 2;

    napi_get_cb_info(env, info, &n, args, NULL, NULL);
    if (napi_get_value_external(env, args[0], (void **)&w) != napi_ok)
        return NULL;
    napi_get_value_bool(env, args[1], &is_now);
    pthread_mutex_lock(&w->lock);
    w->stop_wish = is_now || w->stop_wish == 2 ? 2 : 1;
    pthread_mutex_unlock(&w->lock);
    en_worker_wake(w);
    return NULL;
}

/* workerEnd(worker): when it has told that it ended: the process is free to end, too. */
static napi_value js_end(napi_env env, napi_callback_info info)
{
    struct en_worker *w = NULL;
    napi_value arg;
    size_t n = 1;

    napi_get_cb_info(env, info, &n, &arg, NULL, NULL);
    if (napi_get_value_external(env, arg, (void **)&w) != napi_ok || !w->tell)
        return NULL;
    napi_remove_env_cleanup_hook(env, on_env_end, w);
    on_env_end(w);
    return NULL;
}

int en_worker_export(napi_env env, napi_value exports)
{
    const struct {
        const char *name;
        napi_callback call;
    } functions[] = {{"workerStart", js_start},       {"workerBegin", js_begin},
                     {"workerFinish", js_finish},     {"workerStop", js_stop},
                     {"workerProgress", js_progress}, {"workerEnd", js_end}};

    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (en_function(env, exports, functions[i].name, functions[i].call, NULL) < 0)
            return -1;
    return 0;
}
