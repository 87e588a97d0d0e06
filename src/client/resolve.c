/* resolve.c: from what a caller says about a job to what the store is asked to keep.
 *
 * client.h tells who decides and when. */
#include "client/client.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "client/class.h"
#include "client/config.h"
#include "client/handle.h"
#include "core/id.h"
#include "core/name.h"

/* ------------------------------------------------------------------ the data */

/* The name of the data is for the message alone, and most data is right. */
static int check_data(const errand *e, const char *name, const struct er_options *o,
                      struct errand_slice data, struct errand_error *err)
{
    struct er_json_limits limits = e->json;
    char what[ER_NAME_MAX + 16];

    if (o->has & ER_OPT_MAX_DATA)
        limits.max_bytes =
            o->max_data < ER_CLIENT_DATA_MAX ? o->max_data : ER_CLIENT_DATA_MAX;
    if (er_json_check("data", data, &limits, NULL) == 0)
        return 0;
    snprintf(what, sizeof what, "data of '%s'", name);
    return er_json_check(what, data, &limits, err);
}

/* ------------------------------------------------------------------ unique keys */

/* Two classes may both say "user:{userId}" and mean different work, so the name's key
 * stands before what a template gives. */
static int expand_unique(const char *name, const struct er_options *definition,
                         struct errand_slice data, struct errand_arena *arena,
                         struct errand_slice *ret, struct errand_error *err)
{
    char prefix[ER_NAME_MAX + 1], *text, *key;
    int rc = er_template_expand(definition->unique, data, arena, &text, err);

    if (rc == ERRAND_ENOMEM)
        return rc;
    if (rc < 0) {
        er_error_wrap(err, rc, "data of '%s' and its unique key '%s'", name,
                      definition->unique);
        if (err)
            err->code = ERRAND_EINVAL;
        return ERRAND_EINVAL;
    }
    if (!(key = er_arena_printf(arena, "%s:%s", er_name_key(name, prefix), text)))
        return er_error_nomem(err);
    if (strlen(key) > ER_CLIENT_KEY_MAX)
        return errand_error_set(err, ERRAND_EINVAL,
                                "unique key of '%s' has %zu bytes with this data, %d are "
                                "allowed",
                                name, strlen(key), ER_CLIENT_KEY_MAX);
    *ret = (struct errand_slice){key, strlen(key)};
    return 0;
}

static int resolve_unique(const char *name, struct er_options *call,
                          const struct er_options *definition, struct errand_slice data,
                          struct errand_arena *arena, const struct errand_unique **ret,
                          struct errand_error *err)
{
    struct errand_slice key = {0};
    struct errand_unique *unique;
    int rc;

    *ret = NULL;
    if (call->has & ER_OPT_UNIQUE) {
        key = (struct errand_slice){call->unique, strlen(call->unique)};
    } else {
        if (!definition || !(definition->has & ER_OPT_UNIQUE))
            return 0;
        if ((rc = expand_unique(name, definition, data, arena, &key, err)) < 0)
            return rc;
        call->has |= ER_OPT_UNIQUE;
        call->unique = key.ptr;
        call->unique_ttl_ms = definition->unique_ttl_ms;
        call->unique_policy = definition->unique_policy;
        call->unique_until =
            er_unique_until(definition->unique_until, call->unique_ttl_ms);
    }
    if (!(unique = errand_arena_alloc(arena, sizeof *unique)))
        return er_error_nomem(err);
    *unique = (struct errand_unique){
        .key = key,
        .ttl_ms = call->unique_ttl_ms,
        .until = call->unique_until,
        .policy = call->unique_policy,
    };
    *ret = unique;
    return 0;
}

/* ------------------------------------------------------------------ the levels */

void er_levels_below(const errand *e, struct er_options *into)
{
    const char *queue = into->has & ER_OPT_QUEUE ? into->queue : e->base.queue;
    const struct er_config_queue *found =
        e->config ? er_config_queue_find(e->config, queue) : NULL;

    if (found)
        er_options_fill(into, &found->options);
    er_options_fill(into, &e->base);
}

/* All levels in one. What comes from a definition is copied: the next look at the
 * definitions may let go of it. */
static int fill_levels(const errand *e, const struct er_options *call,
                       const struct er_options *definition, struct errand_arena *arena,
                       struct er_options *ret, struct errand_error *err)
{
    *ret = *call;
    if (definition)
        er_options_fill(ret, definition);
    if (definition && (definition->has & ER_OPT_QUEUE) && !(call->has & ER_OPT_QUEUE)) {
        ret->queue = errand_arena_copy(arena, ret->queue, strlen(ret->queue));
        if (!ret->queue)
            return er_error_nomem(err);
    }
    er_levels_below(e, ret);
    return 0;
}

static int copy_tags(const struct er_options *o, struct errand_arena *arena,
                     struct errand_push_job *ret, struct errand_error *err)
{
    const char **tags;

    if (o->tags_n == 0)
        return 0;
    if (!(tags = errand_arena_alloc(arena, o->tags_n * sizeof *tags)))
        return er_error_nomem(err);
    for (size_t i = 0; i < o->tags_n; i++)
        if (!(tags[i] = errand_arena_copy(arena, o->tags[i], strlen(o->tags[i]))))
            return er_error_nomem(err);
    ret->tags = tags;
    ret->tags_n = o->tags_n;
    return 0;
}

/* What stays with the job: what the call said, less what the store has anyway. */
static int encode_call(errand *e, struct er_options *call, struct errand_arena *arena,
                       struct errand_slice *ret, struct errand_error *err)
{
    call->has &=
        ~(uint32_t)(ER_OPT_QUEUE | ER_OPT_PRIORITY | ER_OPT_TAGS | ER_OPT_UNIQUE);
    if (!call->has)
        return 0;
    er_buf_reset(&e->text);
    if (er_options_encode(call, &e->text) < 0)
        return er_error_nomem(err);
    *ret = er_arena_slice(arena, e->text.ptr, e->text.len);
    return ret->ptr ? 0 : er_error_nomem(err);
}

/* A job that nobody has published may have a failed hook: it is asked for one. */
static bool may_have_failed_hook(const struct er_options *call,
                                 const struct er_options *definition)
{
    if (call->has & ER_OPT_COMMAND)
        return false;
    return !definition ||
           ((definition->has & ER_OPT_HOOKS) && (definition->hooks & ER_HOOK_FAILED));
}

static void place(const struct er_options *all, struct errand_push_job *ret)
{
    ret->queue = all->queue;
    ret->priority = all->priority;
    ret->tries = all->tries;
}

/* Neither the call nor a class says anything: the hot path. */
static int resolve_plain(const errand *e, struct errand_push_job *ret,
                         struct errand_error *err)
{
    place(&e->plain, ret);
    ret->has_failed_hook = true; /* for all we know */
    return check_data(e, ret->name, &e->plain, ret->data, err);
}

static int resolve_levels(errand *e, const struct errand_options *o,
                          const struct er_options *definition, struct errand_arena *arena,
                          struct errand_push_job *ret, struct errand_error *err)
{
    struct er_options call = {0}, all;
    int rc;

    if (o && ((rc = er_call_options(o, &call, err)) < 0 ||
              (rc = er_call_run_at(o, e->clock, &ret->run_at_ms, err)) < 0))
        return rc;
    if ((rc = fill_levels(e, &call, definition, arena, &all, err)) < 0 ||
        (rc = check_data(e, ret->name, &all, ret->data, err)) < 0 ||
        (rc = copy_tags(&all, arena, ret, err)) < 0 ||
        (rc = resolve_unique(ret->name, &call, definition, ret->data, arena, &ret->unique,
                             err)) < 0)
        return rc;
    place(&all, ret);
    ret->has_failed_hook = may_have_failed_hook(&call, definition);
    return encode_call(e, &call, arena, &ret->options, err);
}

/* Name, data and the caller's own id. */
static int resolve_begin(const char *name, struct errand_slice data,
                         const struct errand_options *options,
                         struct errand_push_job *ret, struct errand_error *err)
{
    int rc;

    *ret = (struct errand_push_job){.name = name, .data = data};
    if ((rc = er_name_check("job name", name, err)) < 0)
        return rc;
    if (!data.ptr)
        ret->data = (struct errand_slice){"null", 4};
    if (options && options->id.text[0] &&
        (rc = er_id_parse(options->id.text, &ret->id, err)) < 0)
        return er_error_wrap(err, rc, "id of '%s'", name);
    return 0;
}

int er_resolve(errand *e, const char *name, struct errand_slice data,
               const struct errand_options *options, struct errand_arena *arena,
               struct errand_push_job *ret, struct errand_error *err)
{
    const struct er_options *definition;
    int rc;

    if ((rc = resolve_begin(name, data, options, ret, err)) < 0 ||
        (rc = er_definitions_find(e, name, &definition, err)) < 0)
        return rc;
    if (!options && !definition)
        return resolve_plain(e, ret, err);
    return resolve_levels(e, options, definition, arena, ret, err);
}

int er_resolve_class(errand *e, const struct errand_job_class *job_class,
                     struct errand_slice data, const struct errand_options *options,
                     struct errand_push_job *ret, struct errand_error *err)
{
    const char *name = job_class->name ? job_class->name : "";
    struct er_options definition;
    int rc;

    if ((rc = resolve_begin(name, data, options, ret, err)) < 0)
        return rc;
    if ((rc = er_class_options(job_class, &definition, err)) < 0)
        return er_error_wrap(err, rc, "class '%s'", name);
    return resolve_levels(e, options, &definition, e->call, ret, err);
}

int er_client_resolve(errand *e, const char *name, struct errand_slice data,
                      const struct errand_options *options, struct errand_arena *arena,
                      struct errand_push_job *ret, struct errand_error *err)
{
    struct errand_push_job job;
    int rc;

    if ((rc = er_definitions_refresh(e, err)) < 0 ||
        (rc = er_resolve(e, name, data, options, arena, &job, err)) < 0)
        return rc;
    *ret = job;
    return 0;
}

/* Its key is not asked for: nobody holds a place that a second one could want. */
int er_client_resolve_now(errand *e, const struct errand_job_class *job_class,
                          struct errand_slice data, const struct errand_options *options,
                          struct er_options *ret, struct errand_error *err)
{
    struct er_options call = {0}, definition;
    struct errand_push_job job;
    int rc;

    er_arena_reset(e->call);
    if ((rc = resolve_begin(job_class->name ? job_class->name : "", data, options, &job,
                            err)) < 0 ||
        (options && (rc = er_call_options(options, &call, err)) < 0))
        return rc;
    if (options && (options->delay_ms || options->run_at_ms || options->transaction))
        return errand_error_set(err, ERRAND_EINVAL,
                                "delay_ms, run_at_ms and transaction mean nothing to a "
                                "job that runs now, without a store");
    if ((rc = er_class_options(job_class, &definition, err)) < 0)
        return er_error_wrap(err, rc, "class '%s'", job.name);
    if ((rc = fill_levels(e, &call, &definition, e->call, ret, err)) < 0)
        return rc;
    return check_data(e, job.name, ret, job.data, err);
}
