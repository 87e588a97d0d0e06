/* resolve.c: from what a caller says about a job to what the store is asked to keep.
 *
 * client.h tells who decides and when. */
#include "client/client.h"

#include <string.h>

#include "base/error.h"
#include "client/asked.h"
#include "client/class.h"
#include "client/config.h"
#include "client/handle.h"
#include "client/seal_job.h"
#include "core/data.h"
#include "core/id.h"
#include "core/name.h"

/* ------------------------------------------------------------------ keys and limits */

/* Who says what a job is when the call does not. */
struct source {
    const struct er_options *definition;      /* NULL: nobody */
    const struct errand_job_class *job_class; /* NULL: only as published, or not looked */
};

/* What the class asks for beside what the call says. Keys that only its code can make are
 * made here when it is at hand, else when the job is handed out. */
static int ask_class(const char *name, const struct source *from,
                     const struct er_options *call, struct errand_slice data,
                     struct errand_arena *arena, struct er_asked *ret,
                     struct errand_error *err)
{
    const struct errand_job_class *c = from->job_class;
    struct er_options rest = *from->definition;
    struct er_keys keys = {0};
    int rc;

    rest.has &= ~(call->has & (uint32_t)ER_OPT_ASKED);
    if ((rest.has & ER_OPT_KEY_FUNCTIONS) && (c = c ? c : er_registry_find(name)) &&
        (rc = er_keys_make(c->middleware, name, data, arena, &keys, err)) < 0)
        return rc;
    return er_asked_make(name, &rest, &keys, data, arena, ret, err);
}

static int resolve_asked(const struct source *from, const struct er_options *call,
                         struct errand_arena *arena, struct errand_push_job *ret,
                         struct errand_error *err)
{
    bool is_class = from->definition && (from->definition->has & ER_OPT_ASKED);
    struct er_asked *asked;
    int rc;

    if (!is_class && !(call->has & ER_OPT_ASKED))
        return 0;
    if (!(asked = errand_arena_alloc(arena, sizeof *asked)))
        return er_error_nomem(err);
    if (is_class &&
        (rc = ask_class(ret->name, from, call, ret->data, arena, asked, err)) < 0)
        return rc;
    if ((rc = er_asked_call(ret->name, call, arena, asked, err)) < 0)
        return rc;
    ret->unique = asked->is_unique ? &asked->unique : NULL;
    ret->limits = asked->limits;
    ret->limits_n = asked->limits_n;
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
    call->has &= ~(uint32_t)(ER_OPT_QUEUE | ER_OPT_PRIORITY | ER_OPT_TAGS | ER_OPT_ASKED |
                             ER_OPT_ENCRYPTED);
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
    return er_data_check(ret->name, ret->data, &e->plain, &e->json, err);
}

static int resolve_levels(errand *e, const struct errand_options *o,
                          const struct source *from, struct errand_arena *arena,
                          struct errand_push_job *ret, struct errand_error *err)
{
    struct er_options call = {0}, all;
    int rc;

    if (o && ((rc = er_call_options(o, &call, err)) < 0 ||
              (rc = er_call_run_at(o, e, &ret->run_at_ms, err)) < 0))
        return rc;
    if ((rc = fill_levels(e, &call, from->definition, arena, &all, err)) < 0 ||
        (rc = er_data_check(ret->name, ret->data, &all, &e->json, err)) < 0 ||
        (rc = copy_tags(&all, arena, ret, err)) < 0 ||
        (rc = resolve_asked(from, &call, arena, ret, err)) < 0)
        return rc;
    place(&all, ret);
    ret->has_failed_hook = may_have_failed_hook(&call, from->definition);
    if (er_options_encrypt(&all) && (rc = er_seal_job(e, ret, arena, err)) < 0)
        return rc;
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
    struct source from = {0};
    int rc;

    if ((rc = resolve_begin(name, data, options, ret, err)) < 0 ||
        (rc = er_definitions_find(e, name, &from.definition, err)) < 0)
        return rc;
    if (!options && !from.definition && !er_options_encrypt(&e->plain))
        return resolve_plain(e, ret, err);
    return resolve_levels(e, options, &from, arena, ret, err);
}

int er_resolve_class(errand *e, const struct errand_job_class *job_class,
                     struct errand_slice data, const struct errand_options *options,
                     struct errand_push_job *ret, struct errand_error *err)
{
    const char *name = job_class->name ? job_class->name : "";
    struct er_options definition;
    const struct source from = {.definition = &definition, .job_class = job_class};
    int rc;

    if ((rc = resolve_begin(name, data, options, ret, err)) < 0)
        return rc;
    if ((rc = er_class_options(job_class, &definition, err)) < 0)
        return er_error_wrap(err, rc, "class '%s'", name);
    return resolve_levels(e, options, &from, e->call, ret, err);
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
    return er_data_check(job.name, job.data, ret, &e->json, err);
}

int er_client_resolve_stored(errand *e, const struct errand_reserved *job,
                             struct errand_arena *arena, struct er_options *ret,
                             struct errand_error *err)
{
    const struct er_options *definition;
    struct er_options all = {0};
    int rc;

    if (job->options.len && (rc = er_options_decode(job->options, arena, &all, err)) < 0)
        return er_error_wrap(err, rc, "options of '%s'", job->name);
    if ((rc = er_client_definition(e, job->name, &definition, err)) < 0)
        return rc;
    if (definition)
        er_options_fill(&all, definition);
    all.queue = job->queue;
    all.has |= ER_OPT_QUEUE;
    er_levels_below(e, &all);
    *ret = all;
    return 0;
}
