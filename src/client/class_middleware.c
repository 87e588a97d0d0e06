/* class_middleware.c: the built-in middleware of a class, as options. */
#include "client/class.h"

#include <stdio.h>

#include "base/error.h"

/* What each kind is called, and which fields mean something to it. */
enum field {
    USE = 1,
    SKIP = 2,
    CONFIG = 4,
    KEY = 8,
    FUNCTION = 16,
    NAME = 32,
    MAX = 64,
    PER = 128,
    TTL = 256,
    UNTIL = 512,
    POLICY = 1024
};
static const struct {
    const char *name;
    unsigned fields;
} kinds[] = {
    [ERRAND_MIDDLEWARE_USE] = {"ERRAND_USE", USE | CONFIG},
    [ERRAND_MIDDLEWARE_SKIP_IF] = {"ERRAND_SKIP_IF", SKIP | CONFIG},
    [ERRAND_MIDDLEWARE_UNIQUE] = {"ERRAND_UNIQUE", KEY | FUNCTION | TTL | UNTIL | POLICY},
    [ERRAND_MIDDLEWARE_RATE_LIMIT] = {"ERRAND_RATE_LIMIT",
                                      KEY | FUNCTION | NAME | MAX | PER},
    [ERRAND_MIDDLEWARE_WITHOUT_OVERLAPPING] = {"ERRAND_WITHOUT_OVERLAPPING",
                                               KEY | FUNCTION | NAME | MAX},
    [ERRAND_MIDDLEWARE_THROTTLE] = {"ERRAND_THROTTLE", KEY | NAME | MAX | PER},
};
enum { KINDS_N = sizeof kinds / sizeof *kinds };

/* ------------------------------------------------------------------ checks */

static const char *stray_field(const struct errand_middleware *m)
{
    const struct {
        unsigned field;
        bool is_said;
        const char *name;
    } fields[] = {
        {USE, m->use != NULL, "use"},
        {SKIP, m->skip_if != NULL, "skip_if"},
        {CONFIG, m->config != NULL, "config"},
        {KEY, m->key != NULL, "key"},
        {FUNCTION, m->key_function != NULL, "key_function"},
        {NAME, m->name != NULL, "name"},
        {MAX, m->max != 0, "max"},
        {PER, m->per != 0, "per"},
        {TTL, m->ttl != 0, "ttl"},
        {UNTIL, m->until != 0, "until"},
        {POLICY, m->policy != 0, "policy"},
    };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].is_said && !(kinds[m->kind].fields & fields[i].field))
            return fields[i].name;
    return NULL;
}

static int check_one(const struct errand_middleware *m, int at, struct errand_error *err)
{
    const char *name, *stray;

    if ((unsigned)m->kind >= KINDS_N)
        return errand_error_set(err, ERRAND_EINVAL,
                                "middleware %d: kind %d has no meaning", at,
                                (int)m->kind);
    name = kinds[m->kind].name;
    if ((stray = stray_field(m)))
        return errand_error_set(err, ERRAND_EINVAL,
                                "middleware %d: .%s means nothing to %s", at, stray,
                                name);
    if ((m->kind == ERRAND_MIDDLEWARE_USE && !m->use) ||
        (m->kind == ERRAND_MIDDLEWARE_SKIP_IF && !m->skip_if))
        return errand_error_set(err, ERRAND_EINVAL, "middleware %d: %s has no function",
                                at, name);
    if (m->key && m->key_function)
        return errand_error_set(err, ERRAND_EINVAL,
                                "middleware %d: %s has .key and .key_function; say one",
                                at, name);
    if (m->kind == ERRAND_MIDDLEWARE_UNIQUE && !m->key && !m->key_function)
        return errand_error_set(err, ERRAND_EINVAL, "middleware %d: %s has no .key", at,
                                name);
    return 0;
}

int er_middleware_check(const struct errand_middleware *list, struct errand_error *err)
{
    int rc;

    for (int i = 0; list && list[i].kind != ERRAND_MIDDLEWARE_END; i++) {
        if (i == ERRAND_MIDDLEWARE_MAX)
            return errand_error_set(err, ERRAND_EINVAL,
                                    "middleware: more than the %d allowed, or a list "
                                    "without its end",
                                    ERRAND_MIDDLEWARE_MAX);
        if ((rc = check_one(&list[i], i + 1, err)) < 0)
            return rc;
        if (list[i].kind > ERRAND_MIDDLEWARE_SKIP_IF &&
            er_middleware_find(list, list[i].kind) != &list[i])
            return errand_error_set(err, ERRAND_EINVAL,
                                    "middleware %d: a second %s; a class has one", i + 1,
                                    kinds[list[i].kind].name);
    }
    return 0;
}

const struct errand_middleware *er_middleware_find(const struct errand_middleware *list,
                                                   enum errand_middleware_kind kind)
{
    for (; list && list->kind != ERRAND_MIDDLEWARE_END; list++)
        if (list->kind == kind)
            return list;
    return NULL;
}

/* ------------------------------------------------------------------ options */

static void say_function(const struct errand_middleware *m, enum er_key_function which,
                         struct er_options *o)
{
    if (!m->key_function)
        return;
    o->has |= ER_OPT_KEY_FUNCTIONS;
    o->key_functions |= which;
}

static int say_unique(const struct errand_middleware *m, struct er_options *o,
                      struct errand_error *err)
{
    int rc;

    if (o->has & ER_OPT_UNIQUE)
        return errand_error_set(
            err, ERRAND_EINVAL,
            "unique is said by .unique and by ERRAND_UNIQUE; say one");
    if ((rc = er_seconds_to_ms("ERRAND_UNIQUE: ttl", m->ttl, &o->unique_ttl_ms, err)) < 0)
        return rc;
    o->has |= ER_OPT_UNIQUE;
    o->unique = m->key;
    o->unique_policy = m->policy;
    o->unique_until = er_unique_until(m->until, o->unique_ttl_ms);
    say_function(m, ER_KEY_FUNCTION_UNIQUE, o);
    return 0;
}

static int say_rate(const struct errand_middleware *m, struct er_rate *ret,
                    struct errand_error *err)
{
    char what[64];

    snprintf(what, sizeof what, "%s: per", kinds[m->kind].name);
    ret->n = m->max;
    return er_seconds_to_ms(what, m->per, &ret->per_ms, err);
}

static int say_one(const struct errand_middleware *m, struct er_options *o,
                   struct errand_error *err)
{
    switch (m->kind) {
    case ERRAND_MIDDLEWARE_UNIQUE:
        return say_unique(m, o, err);
    case ERRAND_MIDDLEWARE_RATE_LIMIT:
        o->has |= ER_OPT_RATE;
        o->rate_name = m->name;
        o->rate_key = m->key;
        say_function(m, ER_KEY_FUNCTION_RATE, o);
        return say_rate(m, &o->rate, err);
    case ERRAND_MIDDLEWARE_WITHOUT_OVERLAPPING:
        o->has |= ER_OPT_CONCURRENCY;
        o->concurrency = m->max == 0                        ? 1
                         : m->max < 0 || m->max > INT32_MAX ? -1
                                                            : (int32_t)m->max;
        o->concurrency_name = m->name;
        o->concurrency_key = m->key;
        say_function(m, ER_KEY_FUNCTION_CONCURRENCY, o);
        return 0;
    case ERRAND_MIDDLEWARE_THROTTLE:
        o->has |= ER_OPT_THROTTLE;
        o->throttle_name = m->name;
        o->throttle_key = m->key;
        return say_rate(m, &o->throttle, err);
    case ERRAND_MIDDLEWARE_END:
    case ERRAND_MIDDLEWARE_USE:
    case ERRAND_MIDDLEWARE_SKIP_IF:
        break;
    }
    return 0;
}

int er_middleware_options(const struct errand_middleware *list,
                          struct er_options *options, struct errand_error *err)
{
    int rc = 0;

    for (; rc == 0 && list && list->kind != ERRAND_MIDDLEWARE_END; list++)
        rc = say_one(list, options, err);
    return rc;
}
