/* options.c: the table of options, its checks, and who decides. */
#include "core/options.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "core/backoff.h"
#include "core/json.h"
#include "core/name.h"
#include "core/options_table.h"
#include "core/schema.h"

#define DAY_MS INT64_C(86400000)
#define SECONDS_MAX (36525.0 * 24 * 3600) /* a hundred years */
enum {
    TEXT_BYTES_MAX = 512,
    COMMAND_BYTES_MAX = 256 << 10,
    TAGS_MAX = 32,
    LIMIT_MAX = 1000000,
};

#define AT(member) offsetof(struct er_options, member)
const struct er_option_field er_option_fields[] = {
    {"queue", ER_OPT_QUEUE, ER_KIND_NAME, AT(queue), 0, 0},
    {"tries", ER_OPT_TRIES, ER_KIND_INT32, AT(tries), 1, 1000},
    {"timeout", ER_OPT_TIMEOUT, ER_KIND_SECONDS, AT(timeout_ms), 1, 30 * DAY_MS},
    {"backoff", ER_OPT_BACKOFF, ER_KIND_BACKOFF, AT(backoff), 0, 0},
    {"backoff_strategy", ER_OPT_BACKOFF, ER_KIND_WORD, AT(backoff.strategy), 0, 0},
    {"backoff_cap", ER_OPT_BACKOFF, ER_KIND_CAP, AT(backoff.cap), 0, 0},
    {"backoff_jitter", ER_OPT_BACKOFF, ER_KIND_JITTER, AT(backoff.jitter), 0, 0},
    {"priority", ER_OPT_PRIORITY, ER_KIND_INT32, AT(priority), INT32_MIN, INT32_MAX},
    {"unique", ER_OPT_UNIQUE, ER_KIND_TEXT, AT(unique), 0, 0},
    {"unique_for", ER_OPT_UNIQUE, ER_KIND_SECONDS, AT(unique_ttl_ms), 0, 3660 * DAY_MS},
    {"unique_until", ER_OPT_UNIQUE, ER_KIND_WORD, AT(unique_until), 0, 0},
    {"unique_policy", ER_OPT_UNIQUE, ER_KIND_WORD, AT(unique_policy), 0, 0},
    {"tags", ER_OPT_TAGS, ER_KIND_TAGS, AT(tags), 0, 0},
    {"schedule", ER_OPT_SCHEDULE, ER_KIND_TEXT, AT(schedule), 0, 0},
    {"zone", ER_OPT_SCHEDULE, ER_KIND_TEXT, AT(zone), 0, 0},
    {"hooks", ER_OPT_HOOKS, ER_KIND_SET, AT(hooks), 0, 0},
    {"command", ER_OPT_COMMAND, ER_KIND_COMMAND, AT(command), 0, 0},
    {"retry_until", ER_OPT_RETRY_UNTIL, ER_KIND_INSTANT, AT(retry_until_ms), 0,
     INT64_MAX},
    {"max_data", ER_OPT_MAX_DATA, ER_KIND_SIZE, AT(max_data), 1, 16 << 20},
    {"memory", ER_OPT_MEMORY, ER_KIND_INT64, AT(memory_mib), 1, 1 << 20},
    {"trace", ER_OPT_TRACE, ER_KIND_TEXT, AT(trace), 0, 0},
    {"rate", ER_OPT_RATE, ER_KIND_RATE, AT(rate), 1, 366 * DAY_MS},
    {"rate_name", ER_OPT_RATE, ER_KIND_NAME, AT(rate_name), 0, 0},
    {"rate_key", ER_OPT_RATE, ER_KIND_TEXT, AT(rate_key), 0, 0},
    {"concurrency", ER_OPT_CONCURRENCY, ER_KIND_INT32, AT(concurrency), 1, LIMIT_MAX},
    {"concurrency_name", ER_OPT_CONCURRENCY, ER_KIND_NAME, AT(concurrency_name), 0, 0},
    {"concurrency_key", ER_OPT_CONCURRENCY, ER_KIND_TEXT, AT(concurrency_key), 0, 0},
    {"throttle", ER_OPT_THROTTLE, ER_KIND_RATE, AT(throttle), 1, 366 * DAY_MS},
    {"throttle_name", ER_OPT_THROTTLE, ER_KIND_NAME, AT(throttle_name), 0, 0},
    {"throttle_key", ER_OPT_THROTTLE, ER_KIND_TEXT, AT(throttle_key), 0, 0},
    {"key_functions", ER_OPT_KEY_FUNCTIONS, ER_KIND_SET, AT(key_functions), 0, 0},
    {"max_depth", ER_OPT_MAX_DEPTH, ER_KIND_INT32, AT(max_depth), 1, 1000},
    {"schema", ER_OPT_SCHEMA, ER_KIND_SCHEMA, AT(schema), 0, 0},
    {"encrypted", ER_OPT_ENCRYPTED, ER_KIND_BOOL, AT(is_encrypted), 0, 0},
    {"retry_for", ER_OPT_RETRY_FOR, ER_KIND_SECONDS, AT(retry_for_ms), 1, 3660 * DAY_MS},
};
const size_t er_option_fields_n = sizeof er_option_fields / sizeof *er_option_fields;

static const char *const strategy_words[] = {"default", "fixed", "linear", "exponential",
                                             NULL};
static const char *const until_words[] = {"ttl", "done", "started", NULL};
static const char *const policy_words[] = {"ignore", "replace", "extend", NULL};
static const char *const hook_words[] = {"failed", "timed-out", NULL};
static const char *const key_words[] = {"unique", "rate", "concurrency", NULL};

const struct er_options er_options_default = {
    .has =
        ER_OPT_QUEUE | ER_OPT_TRIES | ER_OPT_TIMEOUT | ER_OPT_BACKOFF | ER_OPT_PRIORITY,
    .queue = "default",
    .tries = 3,
    .timeout_ms = 300000,
};

/* The size of an enum is the compiler's affair: fields of kind WORD are read and written
 * as int. */
_Static_assert(sizeof(enum errand_unique_until) == sizeof(int) &&
                   sizeof(enum errand_unique_policy) == sizeof(int) &&
                   sizeof(enum errand_backoff_strategy) == sizeof(int),
               "enums are ints");

const char *const *er_option_words(const struct er_option_field *field)
{
    if (field->offset == AT(unique_until))
        return until_words;
    if (field->offset == AT(hooks))
        return hook_words;
    if (field->offset == AT(key_functions))
        return key_words;
    return field->offset == AT(unique_policy) ? policy_words : strategy_words;
}

int er_option_word_find(const char *const *words, const char *name, size_t len)
{
    for (int i = 0; words[i]; i++) {
        size_t j = 0;
        if (strlen(words[i]) != len)
            continue;
        while (j < len && (name[j] == '_' ? '-' : name[j]) == words[i][j])
            j++;
        if (j == len)
            return i;
    }
    return -1;
}

void er_backoff_settle(struct errand_backoff *backoff)
{
    /* A list of one zero stays: a base of zero would mean the default. */
    if (backoff->list_n != 1 || backoff->strategy == ERRAND_BACKOFF_DEFAULT ||
        !(backoff->list[0] > 0))
        return;
    backoff->base = backoff->list[0];
    backoff->list[0] = 0; /* or it would be a list without its length */
    backoff->list_n = 0;
}

static void fill_limits(struct er_options *into, const struct er_options *from,
                        uint32_t missing)
{
    if (missing & ER_OPT_RATE) {
        into->rate = from->rate;
        into->rate_name = from->rate_name;
        into->rate_key = from->rate_key;
    }
    if (missing & ER_OPT_CONCURRENCY) {
        into->concurrency = from->concurrency;
        into->concurrency_name = from->concurrency_name;
        into->concurrency_key = from->concurrency_key;
    }
    if (missing & ER_OPT_THROTTLE) {
        into->throttle = from->throttle;
        into->throttle_name = from->throttle_name;
        into->throttle_key = from->throttle_key;
    }
    if (missing & ER_OPT_KEY_FUNCTIONS)
        into->key_functions = from->key_functions;
}

static void fill_data(struct er_options *into, const struct er_options *from,
                      uint32_t missing)
{
    if (missing & ER_OPT_MAX_DATA)
        into->max_data = from->max_data;
    if (missing & ER_OPT_MAX_DEPTH)
        into->max_depth = from->max_depth;
    if (missing & ER_OPT_SCHEMA) {
        into->schema = from->schema;
        into->shape = from->shape;
    }
    if (missing & ER_OPT_ENCRYPTED)
        into->is_encrypted = from->is_encrypted;
}

bool er_options_encrypt(const struct er_options *options)
{
    return (options->has & ER_OPT_ENCRYPTED) && options->is_encrypted;
}

void er_options_fill(struct er_options *into, const struct er_options *from)
{
    uint32_t missing = from->has & ~into->has;

    into->has |= missing;
    if (missing & ER_OPT_QUEUE)
        into->queue = from->queue;
    if (missing & ER_OPT_TRIES)
        into->tries = from->tries;
    if (missing & ER_OPT_TIMEOUT)
        into->timeout_ms = from->timeout_ms;
    if (missing & ER_OPT_BACKOFF)
        into->backoff = from->backoff;
    if (missing & ER_OPT_PRIORITY)
        into->priority = from->priority;
    if (missing & ER_OPT_UNIQUE) {
        into->unique = from->unique;
        into->unique_ttl_ms = from->unique_ttl_ms;
        into->unique_until = from->unique_until;
        into->unique_policy = from->unique_policy;
    }
    if (missing & ER_OPT_TAGS) {
        into->tags = from->tags;
        into->tags_n = from->tags_n;
    }
    if (missing & ER_OPT_SCHEDULE) {
        into->schedule = from->schedule;
        into->zone = from->zone;
    }
    if (missing & ER_OPT_HOOKS)
        into->hooks = from->hooks;
    if (missing & ER_OPT_COMMAND)
        into->command = from->command;
    if (missing & ER_OPT_RETRY_UNTIL)
        into->retry_until_ms = from->retry_until_ms;
    if (missing & ER_OPT_RETRY_FOR)
        into->retry_for_ms = from->retry_for_ms;
    if (missing & ER_OPT_MEMORY)
        into->memory_mib = from->memory_mib;
    if (missing & ER_OPT_TRACE)
        into->trace = from->trace;
    fill_limits(into, from, missing);
    fill_data(into, from, missing);
}

int er_seconds_to_ms(const char *what, double seconds, int64_t *ret_ms,
                     struct errand_error *err)
{
    int64_t ms;

    if (isnan(seconds) || seconds < 0 || seconds > SECONDS_MAX)
        return errand_error_set(err, ERRAND_EINVAL, "%s: %g is not a time in seconds",
                                what, seconds);
    ms = (int64_t)llround(seconds * 1000);
    *ret_ms = ms == 0 && seconds > 0 ? 1 : ms;
    return 0;
}

static int check_range(const struct er_option_field *f, int64_t value,
                       struct errand_error *err)
{
    if (value >= f->min && value <= f->max)
        return 0;
    return errand_error_set(err, ERRAND_EINVAL,
                            "%s is %" PRId64 ": %" PRId64 " to %" PRId64 " are allowed",
                            f->name, value, f->min, f->max);
}

static int check_seconds(const struct er_option_field *f, int64_t ms,
                         struct errand_error *err)
{
    bool is_whole = ms % 1000 == 0;

    if (ms >= f->min && ms <= f->max)
        return 0;
    return errand_error_set(err, ERRAND_EINVAL,
                            "%s is %" PRId64 " %s: %s to %" PRId64 " days are allowed",
                            f->name, is_whole ? ms / 1000 : ms, is_whole ? "s" : "ms",
                            f->min ? "more than 0" : "0", f->max / DAY_MS);
}

static int check_text(const struct er_option_field *f, const char *text,
                      struct errand_error *err)
{
    size_t len = text ? strlen(text) : 0;

    if (text && len == 0)
        return errand_error_set(err, ERRAND_EINVAL, "%s is empty", f->name);
    if (len > TEXT_BYTES_MAX)
        return errand_error_set(err, ERRAND_EINVAL,
                                "%s has %zu bytes, more than the %d allowed", f->name,
                                len, TEXT_BYTES_MAX);
    if (text && !er_utf8_check(text, len))
        return errand_error_set(err, ERRAND_EINVAL, "%s is not valid UTF-8", f->name);
    return 0;
}

static int check_word(const struct er_option_field *f, int value,
                      struct errand_error *err)
{
    const char *const *words = er_option_words(f);

    for (int i = 0; words[i]; i++)
        if (i == value)
            return 0;
    return errand_error_set(err, ERRAND_EINVAL, "%s is %d, which has no meaning", f->name,
                            value);
}

static int check_set(const struct er_option_field *f, uint32_t value,
                     struct errand_error *err)
{
    const char *const *words = er_option_words(f);
    int n = 0;

    while (words[n])
        n++;
    if (value >> n)
        return errand_error_set(err, ERRAND_EINVAL, "%s is %#x, which has no meaning",
                                f->name, value);
    return 0;
}

static int check_rate(const struct er_option_field *f, const struct er_rate *rate,
                      struct errand_error *err)
{
    if (rate->n < 1 || rate->n > LIMIT_MAX)
        return errand_error_set(err, ERRAND_EINVAL,
                                "%s is %" PRId64 " in a window: 1 to %d are allowed",
                                f->name, rate->n, LIMIT_MAX);
    if (rate->per_ms < f->min || rate->per_ms > f->max)
        return errand_error_set(err, ERRAND_EINVAL,
                                "%s is per %" PRId64 " ms: more than 0 to %" PRId64
                                " days are allowed",
                                f->name, rate->per_ms, f->max / DAY_MS);
    return 0;
}

static int check_tags(const struct er_options *o, struct errand_error *err)
{
    int rc;

    if (o->tags_n > TAGS_MAX)
        return errand_error_set(err, ERRAND_EINVAL,
                                "%zu tags are more than the %d allowed", o->tags_n,
                                TAGS_MAX);
    for (size_t i = 0; i < o->tags_n; i++)
        if ((rc = er_name_check("tag", o->tags[i], err)) < 0)
            return rc;
    return 0;
}

/* A JSON array of at least one string. */
static int check_command(const char *command, struct errand_error *err)
{
    struct er_json_limits limits = {.max_bytes = COMMAND_BYTES_MAX};
    struct errand_slice json = {.ptr = command, .len = command ? strlen(command) : 0};
    struct er_json_walk walk;
    size_t n = 0;
    int rc;

    if ((rc = er_json_check("command", json, &limits, err)) < 0)
        return rc;
    if (er_json_whole(json, &json) != ER_JSON_ARRAY)
        return errand_error_set(err, ERRAND_EINVAL, "command is not a JSON array");
    for (er_json_walk(&walk, json); er_json_next(&walk); n++)
        if (walk.type != ER_JSON_STRING)
            return errand_error_set(err, ERRAND_EINVAL,
                                    "argument %zu of command is not a string", n);
    return n ? 0 : errand_error_set(err, ERRAND_EINVAL, "command is empty");
}

static int check_schema(const char *schema, struct errand_error *err)
{
    struct errand_slice text = {schema, schema ? strlen(schema) : 0};
    int rc = er_schema_text_check(text, err);

    if (rc == ERRAND_EJSON || rc == ERRAND_ETOOBIG) {
        if (err)
            err->code = ERRAND_EINVAL;
        return ERRAND_EINVAL;
    }
    return rc;
}

int er_option_check(const struct er_option_field *f, const struct er_options *o,
                    struct errand_error *err)
{
    const void *at = er_option_of(f, o);

    switch (f->kind) {
    case ER_KIND_NAME:
        if (f->bit != ER_OPT_QUEUE && !*(const char *const *)at)
            return 0; /* said by another field of that bit */
        return er_name_check(f->name, *(const char *const *)at, err);
    case ER_KIND_TEXT:
        return check_text(f, *(const char *const *)at, err);
    case ER_KIND_INT32:
        return check_range(f, *(const int32_t *)at, err);
    case ER_KIND_INT64:
    case ER_KIND_INSTANT:
        return check_range(f, *(const int64_t *)at, err);
    case ER_KIND_SIZE:
        return check_range(f, (int64_t) * (const size_t *)at, err);
    case ER_KIND_SECONDS:
        return check_seconds(f, *(const int64_t *)at, err);
    case ER_KIND_WORD:
        return check_word(f, *(const int *)at, err);
    case ER_KIND_BACKOFF:
    case ER_KIND_CAP:
    case ER_KIND_JITTER:
        return er_backoff_check(&o->backoff, err);
    case ER_KIND_TAGS:
        return check_tags(o, err);
    case ER_KIND_SET:
        return check_set(f, *(const uint32_t *)at, err);
    case ER_KIND_RATE:
        return check_rate(f, at, err);
    case ER_KIND_COMMAND:
        return check_command(o->command, err);
    case ER_KIND_SCHEMA:
        return check_schema(o->schema, err);
    case ER_KIND_BOOL:
        return 0;
    }
    return 0;
}

/* A key or a name without the limit itself. */
static int check_limits(const struct er_options *o, struct errand_error *err)
{
    const char *which = NULL;

    if ((o->has & ER_OPT_RATE) && !o->rate.per_ms && (o->rate_key || o->rate_name))
        which = "rate";
    if ((o->has & ER_OPT_CONCURRENCY) && !o->concurrency &&
        (o->concurrency_key || o->concurrency_name))
        which = "concurrency";
    if ((o->has & ER_OPT_THROTTLE) && !o->throttle.per_ms &&
        (o->throttle_key || o->throttle_name))
        which = "throttle";
    if (!which)
        return 0;
    return errand_error_set(err, ERRAND_EINVAL, "%s_key and %s_name need %s", which,
                            which, which);
}

int er_options_check(const struct er_options *options, struct errand_error *err)
{
    int rc;

    if (options->has == 0)
        return 0;
    if ((rc = check_limits(options, err)) < 0)
        return rc;
    for (size_t i = 0; i < er_option_fields_n; i++)
        if ((options->has & er_option_fields[i].bit) &&
            (rc = er_option_check(&er_option_fields[i], options, err)) < 0)
            return rc;
    if ((options->has & ER_OPT_UNIQUE) && !options->unique &&
        !((options->has & ER_OPT_KEY_FUNCTIONS) &&
          (options->key_functions & ER_KEY_FUNCTION_UNIQUE)))
        return errand_error_set(err, ERRAND_EINVAL,
                                "unique_for, unique_until and unique_policy need unique");
    if ((options->has & ER_OPT_SCHEDULE) && !options->schedule)
        return errand_error_set(err, ERRAND_EINVAL, "zone needs schedule");
    return 0;
}

enum { TEMPLATES_N = 4 };
struct template_said {
    const char *what, *text; /* NULL: not said */
};

static void templates_of(const struct er_options *o,
                         struct template_said ret[TEMPLATES_N])
{
    ret[0] = (struct template_said){"unique", o->has & ER_OPT_UNIQUE ? o->unique : NULL};
    ret[1] =
        (struct template_said){"rate_key", o->has & ER_OPT_RATE ? o->rate_key : NULL};
    ret[2] = (struct template_said){
        "concurrency_key", o->has & ER_OPT_CONCURRENCY ? o->concurrency_key : NULL};
    ret[3] = (struct template_said){"throttle_key",
                                    o->has & ER_OPT_THROTTLE ? o->throttle_key : NULL};
}

int er_options_check_templates(const struct er_options *options, struct errand_error *err)
{
    struct template_said said[TEMPLATES_N];
    int rc;

    templates_of(options, said);
    for (size_t i = 0; i < TEMPLATES_N; i++)
        if (said[i].text && (rc = er_template_check(said[i].text, err)) < 0)
            return er_error_wrap(err, rc, "%s", said[i].what);
    return 0;
}

int er_options_check_schedule(const struct er_options *options, struct errand_error *err)
{
    struct template_said said[TEMPLATES_N];

    if (!(options->has & ER_OPT_SCHEDULE) || !options->schedule)
        return 0;
    templates_of(options, said);
    for (size_t i = 0; i < TEMPLATES_N; i++)
        if (said[i].text && er_template_has_path(said[i].text))
            return errand_error_set(err, ERRAND_EINVAL,
                                    "its schedule '%s' has no data, which %s '%s' needs: "
                                    "put one with data in errand.yml",
                                    options->schedule, said[i].what, said[i].text);
    return 0;
}

enum errand_unique_until er_unique_until(enum errand_unique_until until, int64_t ttl_ms)
{
    return until == ERRAND_UNIQUE_TTL && ttl_ms == 0 ? ERRAND_UNIQUE_DONE : until;
}

/* A name that would be too long loses its end: two classes of 120 equal letters share a
 * limit unless they name one. */
const char *er_limit_name(const char *what, const char *job, char *buf)
{
    char key[ER_NAME_MAX + 1];

    snprintf(buf, ER_NAME_MAX + 1, "%s:%s", what, er_name_key(job, key));
    return buf;
}
