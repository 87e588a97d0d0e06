/* addon.h: what the files of the addon share.
 *
 * Threads. An `errand` handle belongs to one thread at a time, and a call on it may wait
 * for a disk or a server. So each store that JavaScript opens has a thread of its own
 * (store.c), which makes the calls one after the other; JavaScript gets a promise, or,
 * where it asks for that, waits. Nothing of JavaScript is touched outside of its own
 * thread: arguments are copied before, results are turned into values after. */
#ifndef ERRAND_NODE_ADDON_H
#define ERRAND_NODE_ADDON_H

#include <node_api.h>

#include <stdbool.h>
#include <stddef.h>

#include "errand.h"
#include "errand/testing.h"

/* ------------------------------------------------------------------ memory (bag.c) */

/* Copies of what a call was given; all freed together. */
struct en_bag;
struct en_bag *en_bag_new(void);
/* Zeroed; NULL without memory. */
void *en_bag_alloc(struct en_bag *bag, size_t size);
void en_bag_free(struct en_bag *bag); /* NULL allowed */

/* ------------------------------------------------------------------ values.c */

enum en_kind {
    EN_TEXT,    /* const char * */
    EN_JSON,    /* struct errand_slice, as text */
    EN_ID,      /* struct errand_id, as text; "" is left out */
    EN_TEXTS,   /* const char *const *, NULL-terminated */
    EN_INT,     /* int */
    EN_INT32,   /* int32_t */
    EN_INT64,   /* int64_t */
    EN_SIZE,    /* size_t */
    EN_DOUBLE,  /* double */
    EN_BOOL,    /* bool */
    EN_WORD,    /* an enum, by its word in `words` */
    EN_STRUCT,  /* a struct in place, by `fields` */
    EN_POINTER, /* only read: a pointer to such a struct, or NULL */
    EN_LIST,    /* a pointer to `size` bytes each, `count` says where their number is */
    EN_NUMBERS, /* only read: double[ERRAND_BACKOFF_LIST_MAX] and its number */
};

/* A member of a C struct and what it is called in JavaScript. One table serves to read an
 * object into the struct and to make an object of it. */
struct en_field {
    const char *name;
    enum en_kind kind;
    size_t offset, count, size;
    const struct en_field *fields;
    const char *const *words;
};
#define EN_FIELD(name, kind, type, member)     \
    {                                          \
        (name), (kind), offsetof(type, member) \
    }

/* Reads the object into `into`, which is zeroed. undefined and null are an empty one.
 * `what` names it in errors. EINVAL: a member that is not in the table, or of another
 * type. */
int en_read(napi_env env, napi_value value, const char *what,
            const struct en_field *fields, void *into, struct en_bag *bag,
            struct errand_error *err);
/* The array into `*ret`, each element by `fields`. */
int en_read_list(napi_env env, napi_value value, const char *what,
                 const struct en_field *fields, size_t size, void **ret, size_t *ret_n,
                 struct en_bag *bag, struct errand_error *err);
int en_read_text(napi_env env, napi_value value, const char *what, const char **ret,
                 struct en_bag *bag, struct errand_error *err);
int en_read_number(napi_env env, napi_value value, const char *what, double *ret,
                   struct errand_error *err);
int en_read_id(napi_env env, napi_value value, const char *what, struct errand_id *ret,
               struct errand_error *err);
napi_value en_object(napi_env env, const struct en_field *fields, const void *from);
napi_value en_text(napi_env env, const char *text);
napi_value en_slice(napi_env env, struct errand_slice text);
napi_value en_number(napi_env env, double number);
napi_value en_bool(napi_env env, bool is_true);
napi_value en_null(napi_env env);
napi_value en_undefined(napi_env env);

/* tables.c: the structs that calls take. */
extern const struct en_field en_options_fields[]; /* struct errand_options */
extern const struct en_field en_item_fields[];    /* struct en_item */
extern const struct en_field en_config_fields[];  /* struct errand_config */
extern const struct en_field en_job_fields[];     /* struct errand_job_info */
extern const struct en_field en_detail_fields[];  /* struct errand_job_detail */
extern const struct en_field en_backoff_fields[]; /* struct errand_backoff */
extern const struct en_field en_batch_fields[];   /* struct errand_batch_result */
extern const char *const en_state_words[];

/* A job to dispatch as JavaScript gives it. */
struct en_item {
    const char *name;
    struct errand_slice data;
    struct errand_options options;
};

/* ------------------------------------------------------------------ errors.c */

/* What one JavaScript environment (the main thread, a worker thread) has. */
struct en_instance {
    napi_ref error_class;
};

/* An ErrandError. */
napi_value en_error(napi_env env, const struct errand_error *err);
void en_throw(napi_env env, const struct errand_error *err);
/* Says that the last call to Node-API failed. */
int en_failed(struct errand_error *err);
int en_nomem(struct errand_error *err);

/* ------------------------------------------------------------------ store.c */

struct en_store;
struct en_op;

/* One thing that can be asked of a store. */
struct en_call {
    const char *name; /* in JavaScript */
    size_t size;      /* of op->own, zeroed */
    /* JavaScript's thread: from arguments to op->own. NULL: none */
    int (*take)(napi_env env, napi_value *args, struct en_op *op,
                struct errand_error *err);
    /* The store's thread. What it answers is op->rc. */
    int (*run)(struct en_op *op, errand *e, struct errand_error *err);
    /* JavaScript's thread, when rc >= 0. NULL: undefined */
    napi_value (*answer)(napi_env env, struct en_op *op);
    /* JavaScript's thread, at the end: frees what run made. NULL: nothing */
    void (*done)(struct en_op *op);
    bool may_be_closed; /* also runs when the store cannot be opened: e is NULL */
};

struct en_op {
    struct en_op *next;
    const struct en_call *call;
    struct en_store *store;
    struct en_bag *bag;
    void *own;
    int rc;
    bool is_awaited; /* by somebody who sleeps */
    bool is_over;
    struct errand_error err;
    napi_deferred deferred;
};

/* Makes `calls` (the last has no name) functions of `exports`, each as NAME, which
 * answers a promise, and NAMESync. */
int en_calls_export(napi_env env, napi_value exports, const struct en_call *calls);
int en_store_export(napi_env env, napi_value exports);
/* From its thread; NULL: it was opened by a URL. */
const errand_project *en_store_project(const struct en_store *store);

/* dispatch.c: an array of { name, data, options }. */
int en_items_take(napi_env env, napi_value value, const char *what, struct en_bag *bag,
                  struct errand_dispatch_item **ret, size_t *ret_n,
                  struct errand_error *err);

/* Each file's calls. */
extern const struct en_call en_dispatch_calls[], en_flow_calls[], en_jobs_calls[],
    en_class_calls[], en_wait_calls[], en_health_calls[], en_schedule_calls[],
    en_testing_calls[];

/* class.c */
napi_value en_js_project(napi_env env, napi_callback_info info);
/* schedule.c, worker.c, listener.c */
int en_scheduler_export(napi_env env, napi_value exports);
int en_worker_export(napi_env env, napi_value exports);
int en_listener_export(napi_env env, napi_value exports);

/* A function of `exports`. */
int en_function(napi_env env, napi_value exports, const char *name, napi_callback call,
                void *data);

#endif
