/* store.c: a store and the thread that makes the calls on it.
 *
 * Calls are made in the order in which they were asked for. A call that JavaScript waits
 * for by sleeping (NAMESync) stands in the same line, so it sees what those before it
 * did. The process may end while nothing is asked for: the thread does not hold it. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addon.h"

struct line {
    struct en_op *first, **end;
};

struct en_store {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake, over;
    struct line asked, ended;
    bool is_closing, is_told, has_thread;

    /* of JavaScript's thread */
    napi_env env;
    napi_threadsafe_function tell;
    size_t open_n;
    napi_ref held; /* keeps the store while something is asked of it */

    /* of its own thread, but for open and close */
    errand *e;
    const char *url, *folder; /* url NULL: of the project in `folder` */
    errand_project *project;
    struct errand_config config;
    struct en_bag *bag; /* of config */
    bool is_closed;
};

static void line_init(struct line *line)
{
    line->first = NULL;
    line->end = &line->first;
}

static void line_add(struct line *line, struct en_op *op)
{
    op->next = NULL;
    *line->end = op;
    line->end = &op->next;
}

static struct en_op *line_take(struct line *line)
{
    struct en_op *op = line->first;

    if (op && !(line->first = op->next))
        line->end = &line->first;
    return op;
}

static void op_free(struct en_op *op)
{
    if (op->own && op->call->done)
        op->call->done(op);
    en_bag_free(op->bag);
    free(op);
}

/* ------------------------------------------------------------------ its own thread */

static errand *store_open(struct en_store *store, struct errand_error *err)
{
    if (store->url)
        return errand_open(store->url, &store->config, err);
    if (!store->project && !(store->project = errand_project_read(store->folder, err)))
        return NULL;
    return errand_open_project(store->project, err);
}

static int close_run(struct en_op *op, errand *e, struct errand_error *err);

/* A store that could not be opened is tried again by the next call: a server may come. */
static void op_run(struct en_store *store, struct en_op *op)
{
    if (store->is_closed) {
        op->rc = errand_error_set(&op->err, ERRAND_EINVAL, "the store is closed");
        return;
    }
    if (!store->e && op->call->run != close_run)
        store->e = store_open(store, &op->err);
    if (!store->e && !op->call->may_be_closed)
        op->rc = op->err.code;
    else
        op->rc = op->call->run(op, store->e, &op->err);
}

static void tell(struct en_store *store)
{
    if (!store->is_told)
        napi_call_threadsafe_function(store->tell, NULL, napi_tsfn_nonblocking);
    store->is_told = true;
}

static void *store_main(void *arg)
{
    struct en_store *store = arg;
    struct en_op *op;

    pthread_mutex_lock(&store->lock);
    for (;;) {
        while (!store->is_closing && !store->asked.first)
            pthread_cond_wait(&store->wake, &store->lock);
        if (store->is_closing)
            break;
        op = line_take(&store->asked);
        pthread_mutex_unlock(&store->lock);
        op_run(store, op);
        pthread_mutex_lock(&store->lock);
        op->is_over = true;
        if (op->is_awaited) {
            pthread_cond_broadcast(&store->over);
        } else {
            line_add(&store->ended, op);
            tell(store);
        }
    }
    pthread_mutex_unlock(&store->lock);
    return NULL;
}

/* ------------------------------------------------------------------ answers */

static napi_value op_value(napi_env env, struct en_op *op)
{
    if (op->rc < 0)
        return en_error(env, &op->err);
    return op->call->answer ? op->call->answer(env, op) : en_undefined(env);
}

static void op_settle(napi_env env, struct en_op *op)
{
    napi_value value = op_value(env, op);

    if (op->rc < 0)
        napi_reject_deferred(env, op->deferred, value);
    else
        napi_resolve_deferred(env, op->deferred, value);
    op_free(op);
}

static void asked_more(struct en_store *store, napi_value external)
{
    if (store->open_n++ > 0)
        return;
    napi_create_reference(store->env, external, 1, &store->held);
    napi_ref_threadsafe_function(store->env, store->tell);
}

static void asked_less(struct en_store *store)
{
    if (--store->open_n > 0)
        return;
    napi_unref_threadsafe_function(store->env, store->tell);
    napi_delete_reference(store->env, store->held);
    store->held = NULL;
}

/* Tells all that has ended; env NULL: the environment ends, nobody is to be told. */
static void on_told(napi_env env, napi_value function, void *context, void *data)
{
    struct en_store *store = context;
    struct en_op *op;
    struct line ended;

    (void)function;
    (void)data;
    if (!env)
        return;
    pthread_mutex_lock(&store->lock);
    store->is_told = false;
    ended = store->ended;
    line_init(&store->ended);
    pthread_mutex_unlock(&store->lock);
    while (ended.first) {
        napi_handle_scope scope;

        op = ended.first;
        ended.first = op->next;
        napi_open_handle_scope(env, &scope);
        op_settle(env, op);
        asked_less(store);
        napi_close_handle_scope(env, scope);
    }
}

/* ------------------------------------------------------------------ open, close */

static void store_stop(struct en_store *store)
{
    if (!store->has_thread)
        return;
    pthread_mutex_lock(&store->lock);
    store->is_closing = true;
    pthread_cond_signal(&store->wake);
    pthread_mutex_unlock(&store->lock);
    pthread_join(store->thread, NULL);
    store->has_thread = false;
    errand_close(store->e);
    store->e = NULL;
    errand_project_free(store->project);
    store->project = NULL;
}

/* The function to tell by must go before the environment takes it away. */
static void on_env_end(void *arg)
{
    struct en_store *store = arg;

    store_stop(store);
    if (store->tell)
        napi_release_threadsafe_function(store->tell, napi_tsfn_abort);
    store->tell = NULL;
}

static void store_free(struct en_store *store)
{
    struct en_op *op;

    if (!store)
        return;
    on_env_end(store);
    while ((op = line_take(&store->asked)) || (op = line_take(&store->ended)))
        op_free(op);
    pthread_cond_destroy(&store->wake);
    pthread_cond_destroy(&store->over);
    pthread_mutex_destroy(&store->lock);
    en_bag_free(store->bag);
    free(store);
}

static void on_collected(napi_env env, void *data, void *hint)
{
    struct en_store *store = data;

    (void)hint;
    if (store->tell) /* else the environment has ended */
        napi_remove_env_cleanup_hook(env, on_env_end, store);
    store_free(store);
}

static int store_start(napi_env env, struct en_store *store, struct errand_error *err)
{
    napi_value name = en_text(env, "errand store");

    store->env = env;
    if (napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, store,
                                        on_told, &store->tell) != napi_ok)
        return en_failed(err);
    napi_unref_threadsafe_function(env, store->tell);
    if (pthread_create(&store->thread, NULL, store_main, store) != 0)
        return errand_error_set(err, ERRAND_ENOMEM, "a thread for the store");
    store->has_thread = true;
    /* Behind the hook of the function above, so that it runs before that. */
    return napi_add_env_cleanup_hook(env, on_env_end, store) == napi_ok ? 0
                                                                        : en_failed(err);
}

static int text_or_null(napi_env env, napi_value value, const char *what,
                        const char **ret, struct en_bag *bag, struct errand_error *err)
{
    napi_valuetype type = napi_undefined;

    napi_typeof(env, value, &type);
    if (type == napi_undefined || type == napi_null)
        return 0;
    return en_read_text(env, value, what, ret, bag, err);
}

static struct en_store *store_new(napi_env env, napi_value *args,
                                  struct errand_error *err)
{
    struct en_store *store = calloc(1, sizeof *store);

    if (!store || !(store->bag = en_bag_new())) {
        free(store);
        en_nomem(err);
        return NULL;
    }
    pthread_mutex_init(&store->lock, NULL);
    pthread_cond_init(&store->wake, NULL);
    pthread_cond_init(&store->over, NULL);
    line_init(&store->asked);
    line_init(&store->ended);
    if (text_or_null(env, args[0], "url", &store->url, store->bag, err) == 0 &&
        text_or_null(env, args[1], "folder", &store->folder, store->bag, err) == 0 &&
        en_read(env, args[2], "config", en_config_fields, &store->config, store->bag,
                err) == 0 &&
        store_start(env, store, err) == 0)
        return store;
    store_free(store);
    return NULL;
}

/* open(url, folder, config): answers at once; the first call opens it. Without a URL that
 * of the project in `folder`. */
static napi_value js_open(napi_env env, napi_callback_info info)
{
    struct errand_error err = {0};
    napi_value args[3], value = NULL;
    struct en_store *store;
    size_t n = 3;

    napi_get_cb_info(env, info, &n, args, NULL, NULL);
    if (!(store = store_new(env, args, &err))) {
        en_throw(env, &err);
        return NULL;
    }
    if (napi_create_external(env, store, on_collected, NULL, &value) != napi_ok) {
        napi_remove_env_cleanup_hook(env, on_env_end, store);
        store_free(store);
        en_failed(&err);
        en_throw(env, &err);
    }
    return value;
}

/* ------------------------------------------------------------------ calls */

enum { ARGS_MAX = 8 };

static struct en_op *op_new(napi_env env, napi_value *args, const struct en_call *call,
                            struct errand_error *err)
{
    struct en_op *op = calloc(1, sizeof *op);

    if (!op || !(op->bag = en_bag_new()) ||
        !(op->own = en_bag_alloc(op->bag, call->size + 1))) {
        if (op)
            en_bag_free(op->bag);
        free(op);
        en_nomem(err);
        return NULL;
    }
    op->call = call;
    if (napi_get_value_external(env, args[0], (void **)&op->store) != napi_ok)
        errand_error_set(err, ERRAND_EINVAL, "%s: this is no store", call->name);
    else if (!call->take || call->take(env, args + 1, op, err) == 0)
        return op;
    op_free(op);
    return NULL;
}

static struct en_op *op_begin(napi_env env, napi_callback_info info, napi_value *args)
{
    const struct en_call *call;
    struct errand_error err = {0};
    struct en_op *op;
    size_t n = ARGS_MAX;

    napi_get_cb_info(env, info, &n, args, NULL, (void **)&call);
    if (!(op = op_new(env, args, call, &err))) {
        en_throw(env, &err);
        return NULL;
    }
    return op;
}

static void op_ask(struct en_op *op)
{
    struct en_store *store = op->store;

    pthread_mutex_lock(&store->lock);
    line_add(&store->asked, op);
    pthread_cond_signal(&store->wake);
    while (op->is_awaited && !op->is_over)
        pthread_cond_wait(&store->over, &store->lock);
    pthread_mutex_unlock(&store->lock);
}

static napi_value js_call(napi_env env, napi_callback_info info)
{
    napi_value args[ARGS_MAX], promise = NULL;
    struct en_op *op = op_begin(env, info, args);

    if (!op)
        return NULL;
    if (napi_create_promise(env, &op->deferred, &promise) != napi_ok) {
        op_free(op);
        return NULL;
    }
    asked_more(op->store, args[0]);
    op_ask(op);
    return promise;
}

static napi_value js_call_sync(napi_env env, napi_callback_info info)
{
    napi_value args[ARGS_MAX], value;
    struct en_op *op = op_begin(env, info, args);

    if (!op)
        return NULL;
    op->is_awaited = true;
    op_ask(op);
    value = op_value(env, op);
    if (op->rc < 0) {
        napi_throw(env, value);
        value = NULL;
    }
    op_free(op);
    return value;
}

int en_calls_export(napi_env env, napi_value exports, const struct en_call *calls)
{
    for (; calls->name; calls++) {
        char sync[64];

        snprintf(sync, sizeof sync, "%sSync", calls->name);
        if (en_function(env, exports, calls->name, js_call, (void *)calls) < 0 ||
            en_function(env, exports, sync, js_call_sync, (void *)calls) < 0)
            return -1;
    }
    return 0;
}

/* ------------------------------------------------------------------ close */

static int close_run(struct en_op *op, errand *e, struct errand_error *err)
{
    (void)err;
    errand_close(e);
    op->store->e = NULL;
    op->store->is_closed = true;
    return 0;
}

const errand_project *en_store_project(const struct en_store *store)
{
    return store->project;
}

static const struct en_call close_calls[] = {
    {.name = "close", .run = close_run, .may_be_closed = true},
    {0},
};

int en_store_export(napi_env env, napi_value exports)
{
    if (en_function(env, exports, "open", js_open, NULL) < 0)
        return -1;
    return en_calls_export(env, exports, close_calls);
}
