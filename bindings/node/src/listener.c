/* listener.c: events, from the thread that reads them to a function of JavaScript. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "addon.h"

struct listener {
    napi_env env;
    pthread_mutex_t lock; /* of `it` and is_over: begun on the store's thread */
    errand_listener *it;
    bool is_over;
    napi_threadsafe_function tell; /* NULL: the environment has ended */
    const char *type;
};

struct told {
    struct errand_event event;
    char *name, *queue, *type;
    struct errand_slice error;
};

/* ------------------------------------------------------------------ telling */

static void told_free(struct told *told)
{
    if (!told)
        return;
    free(told->name);
    free(told->queue);
    free(told->type);
    free((char *)told->error.ptr);
    free(told);
}

static char *copy(const char *text)
{
    return strdup(text ? text : "");
}

static struct told *told_new(const struct errand_event *event)
{
    struct told *told = calloc(1, sizeof *told);
    char *error;

    if (!told)
        return NULL;
    told->event = *event;
    told->name = copy(event->name);
    told->queue = copy(event->queue);
    told->type = copy(event->type);
    error = strndup(event->error.ptr ? event->error.ptr : "", event->error.len);
    if (!told->name || !told->queue || !told->type || !error) {
        free(error);
        told_free(told);
        return NULL;
    }
    told->error = errand_text(error);
    told->event.name = told->name;
    told->event.queue = told->queue;
    told->event.type = told->type;
    told->event.error = told->error;
    return told;
}

#define EVENT(name, kind, member) EN_FIELD(name, kind, struct errand_event, member)
static const struct en_field event_fields[] = {
    EVENT("seq", EN_INT64, seq),
    EVENT("atMs", EN_INT64, at_ms),
    EVENT("type", EN_TEXT, type),
    EVENT("id", EN_ID, id),
    EVENT("name", EN_TEXT, name),
    EVENT("queue", EN_TEXT, queue),
    EVENT("attempt", EN_INT32, attempt),
    EVENT("durationMs", EN_INT64, duration_ms),
    EVENT("delayMs", EN_INT64, delay_ms),
    EVENT("error", EN_JSON, error),
    {0},
};

/* The listener's thread. Without memory an event is not told. */
static void on_event(const struct errand_event *event, void *ctx)
{
    struct listener *l = ctx;
    struct told *told = told_new(event);

    if (told &&
        napi_call_threadsafe_function(l->tell, told, napi_tsfn_nonblocking) != napi_ok)
        told_free(told);
}

static void on_told(napi_env env, napi_value function, void *context, void *data)
{
    struct told *told = data;
    napi_value event;

    (void)context;
    if (env && function) {
        event = en_object(env, event_fields, &told->event);
        napi_call_function(env, en_undefined(env), function, 1, &event, NULL);
    }
    told_free(told);
}

/* ------------------------------------------------------------------ listen, unlisten */

static void listener_stop(struct listener *l)
{
    errand_listener *it;

    pthread_mutex_lock(&l->lock);
    it = l->it;
    l->it = NULL;
    l->is_over = true; /* one that is about to begin does not */
    pthread_mutex_unlock(&l->lock);
    errand_off(it);
}

/* The function to tell by must go before the environment takes it away. */
static void on_env_end(void *arg)
{
    struct listener *l = arg;

    listener_stop(l);
    napi_release_threadsafe_function(l->tell, napi_tsfn_abort);
    l->tell = NULL;
}

static void listener_free(struct listener *l)
{
    if (l->tell) {
        napi_remove_env_cleanup_hook(l->env, on_env_end, l);
        on_env_end(l);
    }
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static void on_collected(napi_env env, void *data, void *hint)
{
    (void)env, (void)hint;
    listener_free(data);
}

struct listen {
    struct listener *listener;
};

/* listen(store, type or "", function): a listener */
static int listen_take(napi_env env, napi_value *args, struct en_op *op,
                       struct errand_error *err)
{
    struct listen *own = op->own;
    struct listener *l;
    const char *type;
    int rc = en_read_text(env, args[0], "event", &type, op->bag, err);

    if (rc < 0)
        return rc;
    if (!(l = calloc(1, sizeof *l)))
        return en_nomem(err);
    l->env = env;
    pthread_mutex_init(&l->lock, NULL);
    l->type = *type ? type : NULL;
    if (napi_create_threadsafe_function(env, args[1], NULL, en_text(env, "errand events"),
                                        0, 1, NULL, NULL, l, on_told,
                                        &l->tell) != napi_ok) {
        l->tell = NULL;
        listener_free(l);
        return en_failed(err);
    }
    napi_unref_threadsafe_function(env, l->tell);
    napi_add_env_cleanup_hook(env, on_env_end, l);
    own->listener = l;
    return 0;
}

static int listen_run(struct en_op *op, errand *e, struct errand_error *err)
{
    struct listener *l = ((struct listen *)op->own)->listener;

    int rc = 0;

    pthread_mutex_lock(&l->lock);
    if (l->is_over)
        rc = errand_error_set(err, ERRAND_EINVAL, "the environment has ended");
    else if (!(l->it = errand_on(e, l->type, on_event, l, err)))
        rc = err->code;
    pthread_mutex_unlock(&l->lock);
    l->type = NULL; /* the call's */
    return rc;
}

static napi_value listen_answer(napi_env env, struct en_op *op)
{
    struct listen *own = op->own;
    napi_value value = NULL;

    if (napi_create_external(env, own->listener, on_collected, NULL, &value) == napi_ok)
        own->listener = NULL; /* the value's */
    return value;
}

/* One that could not begin, or that nobody could be given. */
static void listen_done(struct en_op *op)
{
    struct listen *own = op->own;

    if (own->listener)
        listener_free(own->listener);
}

static const struct en_call listen_calls[] = {
    {.name = "listen",
     .size = sizeof(struct listen),
     .take = listen_take,
     .run = listen_run,
     .answer = listen_answer,
     .done = listen_done},
    {0},
};

/* unlisten(listener): nothing is told after it. */
static napi_value js_unlisten(napi_env env, napi_callback_info info)
{
    napi_value arg;
    void *found = NULL;
    size_t n = 1;

    napi_get_cb_info(env, info, &n, &arg, NULL, NULL);
    if (napi_get_value_external(env, arg, &found) == napi_ok && found)
        listener_stop(found);
    return NULL;
}

int en_listener_export(napi_env env, napi_value exports)
{
    if (en_function(env, exports, "unlisten", js_unlisten, NULL) < 0)
        return -1;
    return en_calls_export(env, exports, listen_calls);
}
