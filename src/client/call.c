/* call.c: what a call says about a job, as the first level of options. */
#include "client/handle.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "core/backoff.h"
#include "core/clock.h"

#define DELAY_MAX_MS (INT64_C(36525) * 24 * 3600 * 1000) /* a hundred years */
#define INSTANT_MAX_MS INT64_C(253402300799999)          /* the last of the year 9999 */

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

static bool is_rate_said(const struct errand_rate *rate)
{
    return rate->max != 0 || rate->per != 0 || rate->name || rate->key;
}

static int key_check(const char *what, const char *key, struct errand_error *err)
{
    if (key && strlen(key) > ER_CLIENT_KEY_MAX)
        return errand_error_set(err, ERRAND_EINVAL,
                                "%s: the key has %zu bytes, %d are allowed", what,
                                strlen(key), ER_CLIENT_KEY_MAX);
    return 0;
}

/* An empty key is the one of those that have none. */
static const char *key_or_none(const char *key)
{
    return key && key[0] ? key : NULL;
}

static int say_rate(const char *what, const struct errand_rate *rate,
                    struct er_rate *ret_rate, struct errand_error *err)
{
    char per[32];
    int rc;

    snprintf(per, sizeof per, "%s: per", what);
    if ((rc = key_check(what, rate->key, err)) < 0 ||
        (rc = er_seconds_to_ms(per, rate->per, &ret_rate->per_ms, err)) < 0)
        return rc;
    if (rate->max < 1)
        return errand_error_set(err, ERRAND_EINVAL,
                                "%s: max is %lld; at least 1 is needed", what,
                                (long long)rate->max);
    ret_rate->n = rate->max;
    return 0;
}

static int say_limits(const struct errand_options *o, struct er_options *ret,
                      struct errand_error *err)
{
    const struct errand_concurrency *c = &o->concurrency;
    int rc;

    if (is_rate_said(&o->rate)) {
        if ((rc = say_rate("rate", &o->rate, &ret->rate, err)) < 0)
            return rc;
        ret->has |= ER_OPT_RATE;
        ret->rate_name = o->rate.name;
        ret->rate_key = key_or_none(o->rate.key);
    }
    if (is_rate_said(&o->throttle)) {
        if ((rc = say_rate("throttle", &o->throttle, &ret->throttle, err)) < 0)
            return rc;
        ret->has |= ER_OPT_THROTTLE;
        ret->throttle_name = o->throttle.name;
        ret->throttle_key = key_or_none(o->throttle.key);
    }
    if (c->max != 0 || c->name || c->key) {
        if ((rc = key_check("concurrency", c->key, err)) < 0)
            return rc;
        ret->has |= ER_OPT_CONCURRENCY;
        ret->concurrency = c->max;
        ret->concurrency_name = c->name;
        ret->concurrency_key = key_or_none(c->key);
    }
    return 0;
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
    if (strlen(o->unique) > ER_CLIENT_KEY_MAX)
        return errand_error_set(err, ERRAND_EINVAL,
                                "unique: the key has %zu bytes, %d are allowed",
                                strlen(o->unique), ER_CLIENT_KEY_MAX);
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
    if (er_seconds_to_ms("unique_for", o->unique_for, &ret->unique_ttl_ms, err) < 0)
        return ERRAND_EINVAL;
    ret->unique_until = er_unique_until(o->unique_until, ret->unique_ttl_ms);
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
    if (er_backoff_said(&o->backoff, &ret->backoff))
        ret->has |= ER_OPT_BACKOFF;
    if (o->tags) {
        ret->has |= ER_OPT_TAGS;
        ret->tags = o->tags;
        while (o->tags[ret->tags_n])
            ret->tags_n++;
    }
    if (o->retry_until_ms) {
        ret->has |= ER_OPT_RETRY_UNTIL;
        ret->retry_until_ms = o->retry_until_ms;
    }
    if (o->timeout != 0) {
        ret->has |= ER_OPT_TIMEOUT;
        return er_seconds_to_ms("timeout", o->timeout, &ret->timeout_ms, err);
    }
    return 0;
}

int er_call_options(const struct errand_options *o, struct er_options *ret,
                    struct errand_error *err)
{
    int rc;

    if ((rc = say_tries(o->tries, ret, err)) < 0 || (rc = say_rest(o, ret, err)) < 0 ||
        (rc = say_unique(o, ret, err)) < 0 || (rc = say_limits(o, ret, err)) < 0)
        return rc;
    if (o->encrypted) {
        ret->has |= ER_OPT_ENCRYPTED;
        ret->is_encrypted = true;
    }
    if (o->command && (rc = say_command(o->command, ret, err)) < 0)
        return rc;
    return ret->has ? er_options_check(ret, err) : 0;
}

/* ------------------------------------------------------------------ the way back */

static struct errand_rate rate_from(const struct er_rate *rate, const char *name,
                                    const char *key)
{
    return (struct errand_rate){
        .max = rate->n, .per = (double)rate->per_ms / 1000, .name = name, .key = key};
}

static void limits_from(const struct er_options *from, struct errand_options *into)
{
    if (from->has & ER_OPT_RATE)
        into->rate = rate_from(&from->rate, from->rate_name, from->rate_key);
    if (from->has & ER_OPT_THROTTLE)
        into->throttle =
            rate_from(&from->throttle, from->throttle_name, from->throttle_key);
    if (from->has & ER_OPT_CONCURRENCY)
        into->concurrency = (struct errand_concurrency){.max = from->concurrency,
                                                        .name = from->concurrency_name,
                                                        .key = from->concurrency_key};
}

static void unique_from(const struct er_options *from, struct errand_options *into)
{
    if (!(from->has & ER_OPT_UNIQUE))
        return;
    into->unique = from->unique;
    into->unique_for = (double)from->unique_ttl_ms / 1000;
    into->unique_until = from->unique_until;
    into->unique_policy = from->unique_policy;
}

void er_call_from(const struct er_options *from, struct errand_options *into)
{
    if (from->has & ER_OPT_QUEUE)
        into->queue = from->queue;
    if (from->has & ER_OPT_TRIES)
        into->tries = from->tries;
    if (from->has & ER_OPT_TIMEOUT)
        into->timeout = (double)from->timeout_ms / 1000;
    if (from->has & ER_OPT_BACKOFF)
        into->backoff = from->backoff;
    if (from->has & ER_OPT_PRIORITY)
        into->priority = from->priority;
    if (from->has & ER_OPT_TAGS)
        into->tags = from->tags;
    if (from->has & ER_OPT_COMMAND)
        into->command = from->command;
    if (from->has & ER_OPT_ENCRYPTED)
        into->encrypted = from->is_encrypted;
    if (from->has & ER_OPT_RETRY_UNTIL)
        into->retry_until_ms = from->retry_until_ms;
    unique_from(from, into);
    limits_from(from, into);
}

/* ------------------------------------------------------------------ when */

int er_call_run_at(const struct errand_options *o, const errand *e, int64_t *ret,
                   struct errand_error *err)
{
    if (o->delay_ms < 0)
        return errand_error_set(err, ERRAND_EINVAL, "delay_ms: %lld is negative",
                                (long long)o->delay_ms);
    if (o->delay_ms > DELAY_MAX_MS)
        return errand_error_set(err, ERRAND_EINVAL,
                                "delay_ms: %lld is more than a hundred years",
                                (long long)o->delay_ms);
    if (o->run_at_ms > INSTANT_MAX_MS)
        return errand_error_set(err, ERRAND_EINVAL,
                                "run_at_ms: %lld is after the year 9999; it counts "
                                "milliseconds since 1970",
                                (long long)o->run_at_ms);
    if (o->delay_ms && o->run_at_ms)
        return errand_error_set(err, ERRAND_EINVAL,
                                "delay_ms and run_at_ms are both given; say one");
    *ret = 0;
    if (o->delay_ms)
        *ret = er_client_wall_ms(e) + o->delay_ms;
    else if (o->run_at_ms > 0)
        *ret = o->run_at_ms;
    return 0;
}
