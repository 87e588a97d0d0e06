/* class.c: telling the store what the job classes of JavaScript are, and what a project
 * says. */
#include "addon.h"

/* As JavaScript describes one. */
struct told_middleware {
    struct errand_middleware m;
    bool has_key_function;
};
struct told_class {
    struct errand_job_class c;
    bool has_failed, has_timed_out;
    struct told_middleware *middleware;
    size_t middleware_n;
};

/* Only their being there counts: nobody calls them. */
static void no_failed(errand_job *job, const struct errand_error *error)
{
    (void)job;
    (void)error;
}

static void no_timed_out(errand_job *job)
{
    (void)job;
}

static int no_key(struct errand_slice data, char *ret_key, size_t size,
                  struct errand_error *err)
{
    (void)data;
    (void)ret_key;
    (void)size;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "the key is made in JavaScript");
}

static const char *const kinds[] = {"end",      "use",        "skip-if",
                                    "unique",   "rate-limit", "without-overlapping",
                                    "throttle", NULL};
static const char *const untils[] = {"ttl", "done", "started", NULL};
static const char *const policies[] = {"ignore", "replace", "extend", NULL};

#define M(name, kind, member) EN_FIELD(name, kind, struct told_middleware, member)
#define M_WORD(name, member, words_of)                                                 \
    {                                                                                  \
        (name), EN_WORD, offsetof(struct told_middleware, member), .words = (words_of) \
    }
static const struct en_field middleware_fields[] = {
    M_WORD("kind", m.kind, kinds),
    M("key", EN_TEXT, m.key),
    M("hasKeyFunction", EN_BOOL, has_key_function),
    M("name", EN_TEXT, m.name),
    M("max", EN_INT64, m.max),
    M("per", EN_DOUBLE, m.per),
    M("ttl", EN_DOUBLE, m.ttl),
    M_WORD("until", m.until, untils),
    M_WORD("policy", m.policy, policies),
    {0},
};

#define C(name, kind, member) EN_FIELD(name, kind, struct told_class, member)
static const struct en_field class_fields[] = {
    C("name", EN_TEXT, c.name),
    C("queue", EN_TEXT, c.queue),
    C("tries", EN_INT, c.tries),
    C("timeout", EN_DOUBLE, c.timeout),
    {"backoff", EN_STRUCT, offsetof(struct told_class, c.backoff),
     .fields = en_backoff_fields},
    C("priority", EN_INT, c.priority),
    C("schedule", EN_TEXT, c.schedule),
    C("zone", EN_TEXT, c.zone),
    C("tags", EN_TEXTS, c.tags),
    C("maxData", EN_SIZE, c.max_data),
    C("maxDepth", EN_INT, c.max_depth),
    C("schema", EN_TEXT, c.schema),
    C("encrypted", EN_BOOL, c.encrypted),
    C("retryFor", EN_DOUBLE, c.retry_for),
    C("hasFailed", EN_BOOL, has_failed),
    C("hasTimedOut", EN_BOOL, has_timed_out),
    {"middleware", EN_LIST, offsetof(struct told_class, middleware),
     offsetof(struct told_class, middleware_n), sizeof(struct told_middleware),
     middleware_fields},
    {0},
};

static int class_finish(struct told_class *told, struct en_bag *bag,
                        struct errand_error *err)
{
    struct errand_middleware *list;

    if (!(list = en_bag_alloc(bag, (told->middleware_n + 1) * sizeof *list)))
        return en_nomem(err);
    for (size_t i = 0; i < told->middleware_n; i++) {
        list[i] = told->middleware[i].m;
        list[i].key_function = told->middleware[i].has_key_function ? no_key : NULL;
    }
    told->c.middleware = list;
    told->c.failed = told->has_failed ? no_failed : NULL;
    told->c.timed_out = told->has_timed_out ? no_timed_out : NULL;
    return 0;
}

/* ------------------------------------------------------------------ define */

struct define {
    const struct errand_job_class **classes;
    size_t n;
};

/* define(store, classes) */
static int define_take(napi_env env, napi_value *args, struct en_op *op,
                       struct errand_error *err)
{
    struct define *d = op->own;
    struct told_class *told;
    int rc = en_read_list(env, args[0], "classes", class_fields, sizeof *told,
                          (void **)&told, &d->n, op->bag, err);

    if (rc < 0)
        return rc;
    if (!(d->classes = en_bag_alloc(op->bag, (d->n + 1) * sizeof *d->classes)))
        return en_nomem(err);
    for (size_t i = 0; rc == 0 && i < d->n; i++) {
        rc = class_finish(&told[i], op->bag, err);
        d->classes[i] = &told[i].c;
    }
    return rc;
}

static int define_run(struct en_op *op, errand *e, struct errand_error *err)
{
    const struct define *d = op->own;

    return errand_define(e, en_store_project(op->store), d->classes, d->n, err);
}

const struct en_call en_class_calls[] = {
    {.name = "define",
     .size = sizeof(struct define),
     .take = define_take,
     .run = define_run},
    {0},
};

/* ------------------------------------------------------------------ project */

static napi_value project_value(napi_env env, const errand_project *p)
{
    const struct errand_worker_options *w = errand_project_worker(p);
    napi_value value = NULL;

    napi_create_object(env, &value);
    napi_set_named_property(env, value, "folder", en_text(env, errand_project_folder(p)));
    napi_set_named_property(env, value, "url", en_text(env, errand_project_url(p)));
    napi_set_named_property(env, value, "name", en_text(env, errand_project_name(p)));
    napi_set_named_property(env, value, "grace", en_number(env, w->grace));
    napi_set_named_property(env, value, "lease", en_number(env, w->lease));
    return value;
}

/* project(folder): { folder, url, name, grace, lease } */
napi_value en_js_project(napi_env env, napi_callback_info info)
{
    struct en_bag *bag = en_bag_new();
    struct errand_error err = {0};
    errand_project *p = NULL;
    napi_value folder, value = NULL;
    const char *path;
    size_t n = 1;

    napi_get_cb_info(env, info, &n, &folder, NULL, NULL);
    if (!bag)
        en_nomem(&err);
    else if (en_read_text(env, folder, "folder", &path, bag, &err) == 0)
        p = errand_project_read(path, &err);
    if (p)
        value = project_value(env, p);
    else
        en_throw(env, &err);
    errand_project_free(p);
    en_bag_free(bag);
    return value;
}
