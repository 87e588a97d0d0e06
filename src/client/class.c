/* class.c: classes announce themselves here when a program or a job file is loaded.
 *
 * The list head below is a mutable global, as few are (tests/house/globals.sh lists
 * them). A constructor runs before any handle exists, so there is nothing else it could
 * hang a class on; the list is intrusive (the links are in the classes), so that
 * registering needs no memory and cannot fail. It is only touched while one thread loads:
 * before main, and in a runner's dlopen. */
#include "client/class.h"

#include <string.h>

#include "base/error.h"
#include "core/backoff.h"
#include "core/json.h"
#include "core/name.h"
#include "core/schedule.h"

static struct errand_job_class *registered;

void errand_job_register(struct errand_job_class *job_class)
{
    for (const struct errand_job_class *c = registered; c; c = c->next)
        if (c == job_class)
            return; /* twice would tie the list to itself */
    job_class->next = registered;
    registered = job_class;
}

const struct errand_job_class *er_registry_newest(void)
{
    return registered;
}

const struct errand_job_class *er_registry_find(const char *name)
{
    const struct errand_job_class *exact = NULL, *like = NULL;
    char key[ER_NAME_MAX + 1], other[ER_NAME_MAX + 1];

    if (er_name_check("job name", name, NULL) < 0)
        return NULL;
    er_name_key(name, key);
    /* The list has the newest first, so the last one found was the first to come. */
    for (const struct errand_job_class *c = registered; c; c = c->next) {
        if (er_name_check("job name", c->name ? c->name : "", NULL) < 0)
            continue;
        if (strcmp(c->name, name) == 0)
            exact = c;
        else if (strcmp(er_name_key(c->name, other), key) == 0)
            like = c;
    }
    return exact ? exact : like;
}

/* ------------------------------------------------------------------ one class */

static void say_text(const char *text, uint32_t bit, const char **into,
                     struct er_options *o)
{
    if (!text)
        return;
    *into = text;
    o->has |= bit;
}

static void say_tags(const struct errand_job_class *c, struct er_options *o)
{
    if (!c->tags || !c->tags[0])
        return;
    o->tags = c->tags;
    while (c->tags[o->tags_n])
        o->tags_n++;
    o->has |= ER_OPT_TAGS;
}

static void say_numbers(const struct errand_job_class *c, struct er_options *o)
{
    if (c->tries != 0) {
        o->tries = c->tries == ERRAND_NO_RETRY ? 1 : c->tries;
        o->has |= ER_OPT_TRIES;
    }
    if (er_backoff_said(&c->backoff, &o->backoff))
        o->has |= ER_OPT_BACKOFF;
    if (c->priority != 0) {
        o->priority = c->priority;
        o->has |= ER_OPT_PRIORITY;
    }
    if (c->max_data != 0) {
        o->max_data = c->max_data;
        o->has |= ER_OPT_MAX_DATA;
    }
    if (c->max_depth != 0) {
        o->max_depth = c->max_depth;
        o->has |= ER_OPT_MAX_DEPTH;
    }
    if (c->encrypted) {
        o->is_encrypted = true;
        o->has |= ER_OPT_ENCRYPTED;
    }
    o->hooks = (c->failed ? ER_HOOK_FAILED : 0) | (c->timed_out ? ER_HOOK_TIMED_OUT : 0);
    if (o->hooks)
        o->has |= ER_OPT_HOOKS;
}

int er_class_options(const struct errand_job_class *job_class, struct er_options *ret,
                     struct errand_error *err)
{
    const struct errand_job_class *c = job_class;
    struct er_options o = {0};
    int rc;

    say_text(c->queue, ER_OPT_QUEUE, &o.queue, &o);
    say_text(c->unique, ER_OPT_UNIQUE, &o.unique, &o);
    say_text(c->schedule, ER_OPT_SCHEDULE, &o.schedule, &o);
    say_text(c->schema, ER_OPT_SCHEMA, &o.schema, &o);
    if (c->schedule)
        o.zone = c->zone;
    say_tags(c, &o);
    say_numbers(c, &o);
    if ((rc = er_seconds_to_ms("timeout", c->timeout, &o.timeout_ms, err)) < 0 ||
        (rc = er_seconds_to_ms("retry_for", c->retry_for, &o.retry_for_ms, err)) < 0 ||
        (rc = er_seconds_to_ms("unique_for", c->unique_for, &o.unique_ttl_ms, err)) < 0)
        return rc;
    if (o.timeout_ms > 0)
        o.has |= ER_OPT_TIMEOUT;
    if (o.retry_for_ms > 0)
        o.has |= ER_OPT_RETRY_FOR;
    /* Without a time to hold it, the key is held as long as the job lives. */
    if (c->unique && o.unique_ttl_ms == 0)
        o.unique_until = ERRAND_UNIQUE_DONE;
    if ((rc = er_middleware_check(c->middleware, err)) < 0 ||
        (rc = er_middleware_options(c->middleware, &o, err)) < 0 ||
        (rc = er_options_check(&o, err)) < 0 ||
        (rc = er_options_check_templates(&o, err)) < 0 ||
        (rc = er_schedule_check_time(o.schedule, o.zone, err)) < 0)
        return rc;
    *ret = o;
    return 0;
}
