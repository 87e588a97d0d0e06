/* options.h: what a job says about how it runs, and who decides when it says nothing: the
 * call, then the job's class, then its queue, then the configuration, then the default.
 * Also the JSON form in which options travel with a job in the store. */
#ifndef ER_CORE_OPTIONS_H
#define ER_CORE_OPTIONS_H

#include <stdbool.h>

#include "base/arena.h"
#include "errand/types.h"

struct er_buf;
struct er_schema;

/* One level. `has` tells what is said; the rest is ignored. */
enum er_option_bit {
    ER_OPT_QUEUE = 1 << 0,
    ER_OPT_TRIES = 1 << 1,
    ER_OPT_TIMEOUT = 1 << 2,
    ER_OPT_BACKOFF = 1 << 3,
    ER_OPT_PRIORITY = 1 << 4,
    ER_OPT_UNIQUE = 1 << 5, /* a template at class level, the key itself at call level */
    ER_OPT_TAGS = 1 << 6,
    ER_OPT_SCHEDULE = 1 << 7, /* with zone */
    ER_OPT_HOOKS = 1 << 8,
    ER_OPT_COMMAND = 1 << 9, /* queue:run: JSON array of arguments */
    ER_OPT_RETRY_UNTIL = 1 << 10,
    ER_OPT_MAX_DATA = 1 << 11,
    ER_OPT_MEMORY = 1 << 12,
    ER_OPT_TRACE = 1 << 13, /* W3C traceparent */
    /* keys are templates at class level, the keys themselves at call level */
    ER_OPT_RATE = 1 << 14,
    ER_OPT_CONCURRENCY = 1 << 15,
    ER_OPT_THROTTLE = 1 << 16,
    ER_OPT_KEY_FUNCTIONS = 1 << 17,
    ER_OPT_MAX_DEPTH = 1 << 18,
    ER_OPT_SCHEMA = 1 << 19,    /* JSON, see schema.h */
    ER_OPT_ENCRYPTED = 1 << 20, /* see client/seal.h */
    ER_OPT_RETRY_FOR = 1 << 21,
    /* what a store is asked to hold a job to */
    ER_OPT_ASKED = ER_OPT_UNIQUE | ER_OPT_RATE | ER_OPT_CONCURRENCY,
};

enum er_hook { ER_HOOK_FAILED = 1, ER_HOOK_TIMED_OUT = 2 };
/* Keys that a function of the class makes, so that only who has the code knows them. */
enum er_key_function {
    ER_KEY_FUNCTION_UNIQUE = 1,
    ER_KEY_FUNCTION_RATE = 2,
    ER_KEY_FUNCTION_CONCURRENCY = 4
};

/* At most n in any window of per_ms. */
struct er_rate {
    int64_t n, per_ms;
};

struct er_options {
    uint32_t has;
    const char *queue;
    int32_t tries; /* >= 1 */
    int64_t timeout_ms;
    struct errand_backoff backoff;
    int32_t priority;
    const char *unique;
    int64_t unique_ttl_ms;
    enum errand_unique_until unique_until;
    enum errand_unique_policy unique_policy;
    const char *const *tags;
    size_t tags_n;
    const char *schedule, *zone;
    uint32_t hooks; /* enum er_hook */
    const char *command;
    int64_t retry_until_ms;
    int64_t retry_for_ms; /* since it was dispatched */
    size_t max_data;
    int64_t memory_mib;
    const char *trace;
    struct er_rate rate;
    const char *rate_name, *rate_key; /* NULL: of the job's class; one key */
    int32_t concurrency;
    const char *concurrency_name, *concurrency_key;
    struct er_rate throttle;
    const char *throttle_name, *throttle_key;
    uint32_t key_functions; /* enum er_key_function */
    int32_t max_depth;
    const char *schema;
    const struct er_schema *shape; /* what `schema` says, once it was read; or NULL */
    bool is_encrypted;
};

/* Its data is kept from the store. */
bool er_options_encrypt(const struct er_options *options);
/* Fills what `into` does not say from `from`. Borrowed pointers are copied as pointers.
 */
void er_options_fill(struct er_options *into, const struct er_options *from);
/* The last level: queue "default", 3 tries, 300 s, the default backoff, priority 0. */
extern const struct er_options er_options_default;

/* Seconds as a C program says them into ms: rounded, but never from more than 0 to 0.
 * EINVAL that begins with `what`: NaN, negative, over a hundred years. */
int er_seconds_to_ms(const char *what, double seconds, int64_t *ret_ms,
                     struct errand_error *err);

/* Ranges: tries 1 to 1,000, timeout up to 30 days, NaN and negative times refused, names
 * legal, texts UTF-8 of at most 512 bytes, at most 32 tags … EINVAL that names the option
 * and the value. */
int er_options_check(const struct er_options *options, struct errand_error *err);

/* To and from the stored JSON object; unknown keys are kept out but are no error (a newer
 * errand may have written them). Seconds in JSON, ms here; retry_until is seconds since
 * 1970. Keys: queue tries timeout backoff backoff_strategy backoff_cap backoff_jitter
 * priority unique unique_for unique_until unique_policy tags schedule zone hooks command
 * retry_until max_data memory trace rate rate_name rate_key concurrency concurrency_name
 * concurrency_key throttle throttle_name throttle_key key_functions max_depth schema
 * encrypted. A rate is "100/60s", a schema an object.
 * Nothing said: "{}"; empty text says nothing. */
int er_options_encode(const struct er_options *options, struct er_buf *buf);
int er_options_decode(struct errand_slice json, struct errand_arena *arena,
                      struct er_options *ret, struct errand_error *err);

/* Sets one option from text, as in a job file's header line, errand.yml and command-line
 * flags ("tries", "3"; "backoff", "60,300"; "unique-for", "3600"; - and _ are one).
 * ENOTFOUND: no such option (the message lists the nearest); EINVAL: bad value. */
int er_options_set(struct er_options *options, const char *name, const char *value,
                   struct errand_arena *arena, struct errand_error *err);

/* Reads the line "# errand: queue=emails tries=3 unique=\"user:{userId}\" …" of an
 * executable: looks through the first 20 lines of `text` for "errand:" behind a comment
 * sign (# // -- ;). 1 found, 0 none, or EINVAL with line and column. */
int er_options_from_header(struct errand_slice text, struct errand_arena *arena,
                           struct er_options *ret, struct errand_error *err);

/* A key without a time and without an end of its own is held until the job is done. */
enum errand_unique_until er_unique_until(enum errand_unique_until until, int64_t ttl_ms);
/* "100/60s", "5/2m", "1/0.5": so many in so long. -1: it is none. */
int er_rate_parse(const char *text, struct er_rate *ret);
/* Are the keys templates that can be expanded? EINVAL that names the option. */
int er_options_check_templates(const struct er_options *options,
                               struct errand_error *err);
/* The schedule that a class brings along dispatches without data: EINVAL when the job
 * cannot be made of that. */
int er_options_check_schedule(const struct er_options *options, struct errand_error *err);
/* The name of a class's limit that has none of its own: "rate:sendemail". `what` is rate,
 * concurrency or throttle. Up to ER_NAME_MAX bytes and a NUL go into `buf`. */
const char *er_limit_name(const char *what, const char *job, char *buf);

#endif
