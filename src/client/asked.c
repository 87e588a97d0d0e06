/* asked.c: from what a class says of keys and limits to what the store is asked for. */
#include "client/asked.h"

#include <string.h>

#include "base/error.h"
#include "client/class.h"
#include "core/json.h"
#include "core/name.h"

static struct errand_slice slice_of(const char *text)
{
    return (struct errand_slice){text, strlen(text)};
}

static int too_long(const char *what, const char *name, size_t len,
                    struct errand_error *err)
{
    return errand_error_set(err, ERRAND_EINVAL,
                            "%s of '%s' has %zu bytes with this data, %d are allowed",
                            what, name, len, ER_CLIENT_KEY_MAX);
}

int er_asked_key(const char *what, const char *name, const char *template_text,
                 struct errand_slice data, struct errand_arena *arena, const char **ret,
                 struct errand_error *err)
{
    char *text;
    int rc;

    *ret = "";
    if (!template_text)
        return 0;
    if ((rc = er_template_expand(template_text, data, arena, &text, err)) ==
        ERRAND_ENOMEM)
        return rc;
    if (rc < 0) {
        er_error_wrap(err, rc, "data of '%s' and its %s '%s'", name, what, template_text);
        if (err)
            err->code = ERRAND_EINVAL;
        return ERRAND_EINVAL;
    }
    if (strlen(text) > ER_CLIENT_KEY_MAX)
        return too_long(what, name, strlen(text), err);
    *ret = text;
    return 0;
}

const char *er_asked_name(const char *what, const char *own, const char *name,
                          struct errand_arena *arena)
{
    char buf[ER_NAME_MAX + 1];
    const char *text = own ? own : er_limit_name(what, name, buf);

    return errand_arena_copy(arena, text, strlen(text));
}

/* ------------------------------------------------------------------ key functions */

static int key_make(const struct errand_middleware *m, const char *what, const char *name,
                    struct errand_slice data, struct errand_arena *arena,
                    const char **ret, struct errand_error *err)
{
    char key[ER_CLIENT_KEY_MAX + 1] = "";
    struct errand_error why = {0};

    if (!m || !m->key_function)
        return 0;
    if (m->key_function(data, key, sizeof key, &why) < 0)
        return errand_error_set(err, ERRAND_EINVAL, "%s of '%s': %s", what, name,
                                why.message[0] ? why.message : "its function failed");
    key[ER_CLIENT_KEY_MAX] = '\0';
    *ret = errand_arena_copy(arena, key, strlen(key));
    return *ret ? 0 : er_error_nomem(err);
}

int er_keys_make(const struct errand_middleware *list, const char *name,
                 struct errand_slice data, struct errand_arena *arena,
                 struct er_keys *ret, struct errand_error *err)
{
    int rc;

    *ret = (struct er_keys){0};
    if ((rc = key_make(er_middleware_find(list, ERRAND_MIDDLEWARE_UNIQUE), "unique key",
                       name, data, arena, &ret->unique, err)) < 0 ||
        (rc = key_make(er_middleware_find(list, ERRAND_MIDDLEWARE_RATE_LIMIT), "rate key",
                       name, data, arena, &ret->rate, err)) < 0)
        return rc;
    return key_make(er_middleware_find(list, ERRAND_MIDDLEWARE_WITHOUT_OVERLAPPING),
                    "concurrency key", name, data, arena, &ret->concurrency, err);
}

/* ------------------------------------------------------------------ what is asked */

/* A key that a class may want. */
struct wanted {
    const char *what;
    enum er_option_bit option;
    enum er_key_function function;
    const char *template_text, *made;
    const char *
        *ret; /* NULL stays where it is not wanted, or only its code can make it */
};

static int key_find(const struct wanted *w, const char *name, const struct er_options *o,
                    struct errand_slice data, struct errand_arena *arena,
                    struct er_asked *ret, struct errand_error *err)
{
    uint32_t functions = o->has & ER_OPT_KEY_FUNCTIONS ? o->key_functions : 0;

    if (!(o->has & w->option))
        return 0;
    if (!(functions & w->function))
        return er_asked_key(w->what, name, w->template_text, data, arena, w->ret, err);
    *w->ret = w->made;
    if (!w->made)
        ret->missing |= w->function;
    return 0;
}

static int limit_add(const struct errand_limit_use *use, const char *what,
                     const char *own, const char *name, struct errand_arena *arena,
                     struct er_asked *ret, struct errand_error *err)
{
    struct errand_limit_use *limit = &ret->limits[ret->limits_n];

    *limit = *use;
    if (!(limit->name = er_asked_name(what, own, name, arena)))
        return er_error_nomem(err);
    ret->limits_n++;
    return 0;
}

/* Rate and concurrency, whose keys are known by now. */
static int limits_add(const char *name, const struct er_options *o,
                      const struct er_keys *keys, struct errand_arena *arena,
                      struct er_asked *ret, struct errand_error *err)
{
    int rc = 0;

    if (keys->rate)
        rc = limit_add(&(struct errand_limit_use){.key = slice_of(keys->rate),
                                                  .kind = ERRAND_LIMIT_RATE,
                                                  .n = o->rate.n,
                                                  .per_ms = o->rate.per_ms},
                       "rate", o->rate_name, name, arena, ret, err);
    if (rc == 0 && keys->concurrency)
        rc = limit_add(&(struct errand_limit_use){.key = slice_of(keys->concurrency),
                                                  .kind = ERRAND_LIMIT_CONCURRENCY,
                                                  .n = o->concurrency},
                       "concurrency", o->concurrency_name, name, arena, ret, err);
    return rc;
}

/* Two classes may both say "user:{userId}" and mean different work, so the name's key
 * stands before what a template or a function gives. */
static int unique_add(const char *name, const struct er_options *o, const char *key,
                      struct errand_arena *arena, struct er_asked *ret,
                      struct errand_error *err)
{
    char prefix[ER_NAME_MAX + 1];
    char *text = er_arena_printf(arena, "%s:%s", er_name_key(name, prefix), key);

    if (!text)
        return er_error_nomem(err);
    if (strlen(text) > ER_CLIENT_KEY_MAX)
        return too_long("unique key", name, strlen(text), err);
    ret->is_unique = true;
    ret->unique = (struct errand_unique){
        .key = slice_of(text),
        .ttl_ms = o->unique_ttl_ms,
        .until = er_unique_until(o->unique_until, o->unique_ttl_ms),
        .policy = o->unique_policy,
    };
    return 0;
}

int er_asked_make(const char *name, const struct er_options *definition,
                  const struct er_keys *keys, struct errand_slice data,
                  struct errand_arena *arena, struct er_asked *ret,
                  struct errand_error *err)
{
    const struct er_options *o = definition;
    struct er_keys found = {0};
    const struct wanted all[] = {
        {"unique key", ER_OPT_UNIQUE, ER_KEY_FUNCTION_UNIQUE, o->unique, keys->unique,
         &found.unique},
        {"rate key", ER_OPT_RATE, ER_KEY_FUNCTION_RATE, o->rate_key, keys->rate,
         &found.rate},
        {"concurrency key", ER_OPT_CONCURRENCY, ER_KEY_FUNCTION_CONCURRENCY,
         o->concurrency_key, keys->concurrency, &found.concurrency},
    };
    int rc;

    *ret = (struct er_asked){0};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if ((rc = key_find(&all[i], name, o, data, arena, ret, err)) < 0)
            return rc;
    if (found.unique && (rc = unique_add(name, o, found.unique, arena, ret, err)) < 0)
        return rc;
    return limits_add(name, o, &found, arena, ret, err);
}

int er_asked_call(const char *name, const struct er_options *call,
                  struct errand_arena *arena, struct er_asked *ret,
                  struct errand_error *err)
{
    struct er_keys keys = {0};

    if (call->has & ER_OPT_UNIQUE) {
        ret->is_unique = true;
        ret->missing &= ~(uint32_t)ER_KEY_FUNCTION_UNIQUE;
        ret->unique = (struct errand_unique){.key = slice_of(call->unique),
                                             .ttl_ms = call->unique_ttl_ms,
                                             .until = call->unique_until,
                                             .policy = call->unique_policy};
    }
    if (call->has & ER_OPT_RATE)
        keys.rate = call->rate_key ? call->rate_key : "";
    if (call->has & ER_OPT_CONCURRENCY)
        keys.concurrency = call->concurrency_key ? call->concurrency_key : "";
    return limits_add(name, call, &keys, arena, ret, err);
}
