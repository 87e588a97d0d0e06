/* resolve.c: from what a caller says about a job to what the store is asked to keep.
 *
 * client.h tells who decides and when. */
#include "client/client.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "client/config.h"
#include "client/handle.h"
#include "core/clock.h"
#include "core/id.h"
#include "core/name.h"

#define DELAY_MAX_MS (INT64_C(36525) * 24 * 3600 * 1000) /* a hundred years */
#define SECONDS_MAX (36525.0 * 24 * 3600)
enum { KEY_MAX = 512 };

/* ------------------------------------------------------------------ the call */

static int to_ms(const char *what, double seconds, int64_t *ret, struct errand_error *err)
{
    if (isnan(seconds) || seconds < 0 || seconds > SECONDS_MAX)
        return errand_error_set(err, ERRAND_EINVAL, "%s: %g is not a time in seconds",
                                what, seconds);
    *ret = (int64_t)llround(seconds * 1000);
    if (*ret == 0 && seconds > 0)
        *ret = 1;
    return 0;
}

static int say_tries(int tries, struct er_options *ret, struct errand_error *err)
{
    if (tries == 0)
        return 0;
    if (tries < 0 && tries != ERRAND_NO_RETRY)
        return errand_error_set(err, ERRAND_EINVAL,
                                "tries: %d is negative; ERRAND_NO_RETRY is one attempt",
                                tries);
    ret->has |= ER_OPT_TRIES;
    ret->tries = tries == ERRAND_NO_RETRY ? 1 : tries;
    return 0;
}

static bool is_backoff_said(const struct errand_backoff *b)
{
    return b->list_n || b->strategy || b->base != 0 || b->cap != 0 || b->jitter != 0;
}

/* A key without a time and without an end of its own is held until the job is done. */
static enum errand_unique_until until_of(enum errand_unique_until until, int64_t ttl_ms)
{
    return until == ERRAND_UNIQUE_TTL && ttl_ms == 0 ? ERRAND_UNIQUE_DONE : until;
}

static int say_unique(const struct errand_options *o, struct er_options *ret,
                      struct errand_error *err)
{
    if (!o->unique) {
        if (o->unique_for != 0 || o->unique_until != 0 || o->unique_policy != 0)
            return errand_error_set(err, ERRAND_EINVAL,
                                    "unique_for, unique_until and unique_policy mean "
                                    "nothing without the key in unique");
        return 0;
    }
    if (!o->unique[0])
        return errand_error_set(err, ERRAND_EINVAL, "unique: the key is empty");
    if (strlen(o->unique) > KEY_MAX)
        return errand_error_set(err, ERRAND_EINVAL,
                                "unique: the key has %zu bytes, %d are allowed",
                                strlen(o->unique), KEY_MAX);
    if ((unsigned)o->unique_until > ERRAND_UNIQUE_STARTED)
        return errand_error_set(err, ERRAND_EINVAL,
                                "unique_until: %d is none of the enum",
                                (int)o->unique_until);
    if ((unsigned)o->unique_policy > ERRAND_UNIQUE_EXTEND)
        return errand_error_set(err, ERRAND_EINVAL,
                                "unique_policy: %d is none of the enum",
                                (int)o->unique_policy);
    ret->has |= ER_OPT_UNIQUE;
    ret->unique = o->unique;
    ret->unique_policy = o->unique_policy;
    if (to_ms("unique_for", o->unique_for, &ret->unique_ttl_ms, err) < 0)
        return ERRAND_EINVAL;
    ret->unique_until = until_of(o->unique_until, ret->unique_ttl_ms);
    return 0;
}

/* ["/bin/echo","a b"]: strings, the first of them not empty. */
static bool is_command(struct errand_slice json)
{
    struct er_json_walk walk;
    struct errand_slice whole;
    size_t n = 0;

    if (er_json_whole(json, &whole) != ER_JSON_ARRAY)
        return false;
    for (er_json_walk(&walk, whole); er_json_next(&walk); n++)
        if (walk.type != ER_JSON_STRING || (n == 0 && walk.value.len <= 2))
            return false;
    return n > 0;
}

static int say_command(const char *command, struct er_options *ret,
                       struct errand_error *err)
{
    struct errand_slice json = {command, strlen(command)};
    int rc;

    if ((rc = er_json_check("command", json, NULL, err)) < 0)
        return rc;
    if (!is_command(json))
        return errand_error_set(
            err, ERRAND_EINVAL,
            "command: it is not a JSON array of strings that begins with a program");
    ret->has |= ER_OPT_COMMAND;
    ret->command = command;
    return 0;
}

static int say_rest(const struct errand_options *o, struct er_options *ret,
                    struct errand_error *err)
{
    if (o->queue) {
        ret->has |= ER_OPT_QUEUE;
        ret->queue = o->queue;
    }
    if (o->priority) {
        ret->has |= ER_OPT_PRIORITY;
        ret->priority = o->priority;
    }
    if (is_backoff_said(&o->backoff)) {
        ret->has |= ER_OPT_BACKOFF;
        ret->backoff = o->backoff;
    }
    if (o->tags) {
        ret->has |= ER_OPT_TAGS;
        ret->tags = o->tags;
        while (o->tags[ret->tags_n])
            ret->tags_n++;
    }
    if (o->timeout != 0) {
        ret->has |= ER_OPT_TIMEOUT;
        return to_ms("timeout", o->timeout, &ret->timeout_ms, err);
    }
    return 0;
}

/* The call as the first level. */
static int say_call(const struct errand_options *o, struct er_options *ret,
                    struct errand_error *err)
{
    int rc;

    if ((rc = say_tries(o->tries, ret, err)) < 0 || (rc = say_rest(o, ret, err)) < 0 ||
        (rc = say_unique(o, ret, err)) < 0)
        return rc;
    if (o->command && (rc = say_command(o->command, ret, err)) < 0)
        return rc;
    return ret->has ? er_options_check(ret, err) : 0;
}

static int run_at(const errand *e, const struct errand_options *o, int64_t *ret,
                  struct errand_error *err)
{
    if (o->delay_ms < 0)
        return errand_error_set(err, ERRAND_EINVAL, "delay_ms: %lld is negative",
                                (long long)o->delay_ms);
    if (o->delay_ms > DELAY_MAX_MS)
        return errand_error_set(err, ERRAND_EINVAL,
                                "delay_ms: %lld is more than a hundred years",
                                (long long)o->delay_ms);
    if (o->delay_ms && o->run_at_ms)
        return errand_error_set(err, ERRAND_EINVAL,
                                "delay_ms and run_at_ms are both given; say one");
    *ret = 0;
    if (o->delay_ms)
        *ret = er_clock_wall_ms(e->clock) + o->delay_ms;
    else if (o->run_at_ms > 0)
        *ret = o->run_at_ms;
    return 0;
}

/* ------------------------------------------------------------------ the data */

static int check_data(const errand *e, const char *name, const struct er_options *o,
                      struct errand_slice data, struct errand_error *err)
{
    struct er_json_limits limits = e->json;
    char what[ER_NAME_MAX + 16];

    if (o->has & ER_OPT_MAX_DATA)
        limits.max_bytes =
            o->max_data < ER_CLIENT_DATA_MAX ? o->max_data : ER_CLIENT_DATA_MAX;
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
    if (strlen(key) > KEY_MAX)
        return errand_error_set(err, ERRAND_EINVAL,
                                "unique key of '%s' has %zu bytes with this data, %d are "
                                "allowed",
                                name, strlen(key), KEY_MAX);
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
        call->unique_until = until_of(definition->unique_until, call->unique_ttl_ms);
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

static const struct er_options *queue_level(const errand *e, const char *queue)
{
    const struct er_config_queue *found =
        e->config ? er_config_queue_find(e->config, queue) : NULL;

    return found ? &found->options : NULL;
}

/* All levels in one. What comes from a definition is copied: the next look at the
 * definitions may let go of it. */
static int fill_levels(const errand *e, const struct er_options *call,
                       const struct er_options *definition, struct errand_arena *arena,
                       struct er_options *ret, struct errand_error *err)
{
    const struct er_options *queue;

    *ret = *call;
    if (definition)
        er_options_fill(ret, definition);
    if (definition && (definition->has & ER_OPT_QUEUE) && !(call->has & ER_OPT_QUEUE)) {
        ret->queue = errand_arena_copy(arena, ret->queue, strlen(ret->queue));
        if (!ret->queue)
            return er_error_nomem(err);
    }
    queue = queue_level(e, ret->has & ER_OPT_QUEUE ? ret->queue : e->base.queue);
    if (queue)
        er_options_fill(ret, queue);
    er_options_fill(ret, &e->base);
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

/* What stays with the job: what the call said, less what the job's row has anyway. */
static int encode_call(errand *e, struct er_options *call, struct errand_arena *arena,
                       struct errand_slice *ret, struct errand_error *err)
{
    call->has &= ~(uint32_t)(ER_OPT_QUEUE | ER_OPT_PRIORITY | ER_OPT_TAGS);
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

static int resolve(errand *e, struct errand_slice data, const struct errand_options *o,
                   struct errand_arena *arena, struct errand_push_job *ret,
                   struct errand_error *err)
{
    const struct er_options *definition;
    struct er_options call = {0}, all;
    int rc;

    if (o && ((rc = say_call(o, &call, err)) < 0 ||
              (rc = run_at(e, o, &ret->run_at_ms, err)) < 0))
        return rc;
    if ((rc = er_definitions_find(e, ret->name, &definition, err)) < 0 ||
        (rc = fill_levels(e, &call, definition, arena, &all, err)) < 0 ||
        (rc = check_data(e, ret->name, &all, data, err)) < 0 ||
        (rc = copy_tags(&all, arena, ret, err)) < 0 ||
        (rc = resolve_unique(ret->name, &call, definition, data, arena, &ret->unique,
                             err)) < 0)
        return rc;
    ret->data = data;
    ret->queue = all.queue;
    ret->priority = all.priority;
    ret->tries = all.tries;
    ret->has_failed_hook = may_have_failed_hook(&call, definition);
    return encode_call(e, &call, arena, &ret->options, err);
}

int er_client_resolve(errand *e, const char *name, struct errand_slice data,
                      const struct errand_options *options, struct errand_arena *arena,
                      struct errand_push_job *ret, struct errand_error *err)
{
    struct errand_push_job job = {.name = name};
    int rc;

    if ((rc = er_name_check("job name", name, err)) < 0)
        return rc;
    if (!data.ptr)
        data = (struct errand_slice){"null", 4};
    if (options && options->id.text[0]) {
        if ((rc = er_id_parse(options->id.text, &job.id, err)) < 0)
            return er_error_wrap(err, rc, "id of '%s'", name);
    }
    if ((rc = resolve(e, data, options, arena, &job, err)) < 0)
        return rc;
    *ret = job;
    return 0;
}
