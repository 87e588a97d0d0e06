/* tables.c: the structs that more than one file gives to JavaScript or takes from it. */
#include "addon.h"

#define NAME_TABLE(...) ((const char *const[]){__VA_ARGS__, NULL})

const char *const en_state_words[] = {"held",      "scheduled", "ready",     "running",
                                      "completed", "failed",    "cancelled", NULL};

static const char *const strategies[] = {"default", "fixed", "linear", "exponential",
                                         NULL};

#define BACKOFF(name, kind, member) EN_FIELD(name, kind, struct errand_backoff, member)
const struct en_field en_backoff_fields[] = {
    {"list", EN_NUMBERS, offsetof(struct errand_backoff, list),
     offsetof(struct errand_backoff, list_n)},
    {"strategy", EN_WORD, offsetof(struct errand_backoff, strategy), .words = strategies},
    BACKOFF("base", EN_DOUBLE, base),
    BACKOFF("cap", EN_DOUBLE, cap),
    BACKOFF("jitter", EN_DOUBLE, jitter),
    {0},
};

static const struct en_field rate_fields[] = {
    EN_FIELD("max", EN_INT64, struct errand_rate, max),
    EN_FIELD("per", EN_DOUBLE, struct errand_rate, per),
    EN_FIELD("name", EN_TEXT, struct errand_rate, name),
    EN_FIELD("key", EN_TEXT, struct errand_rate, key),
    {0},
};
static const struct en_field concurrency_fields[] = {
    EN_FIELD("max", EN_INT, struct errand_concurrency, max),
    EN_FIELD("name", EN_TEXT, struct errand_concurrency, name),
    EN_FIELD("key", EN_TEXT, struct errand_concurrency, key),
    {0},
};

#define OPTION(name, kind, member) EN_FIELD(name, kind, struct errand_options, member)
#define OPTION_STRUCT(name, member, table)                                            \
    {                                                                                 \
        (name), EN_STRUCT, offsetof(struct errand_options, member), .fields = (table) \
    }
#define OPTION_WORD(name, member, ...)                            \
    {                                                             \
        (name), EN_WORD, offsetof(struct errand_options, member), \
            .words = NAME_TABLE(__VA_ARGS__)                      \
    }
const struct en_field en_options_fields[] = {
    OPTION("id", EN_ID, id),
    OPTION("queue", EN_TEXT, queue),
    OPTION("delayMs", EN_INT64, delay_ms),
    OPTION("runAtMs", EN_INT64, run_at_ms),
    OPTION("tries", EN_INT, tries),
    OPTION("timeout", EN_DOUBLE, timeout),
    OPTION_STRUCT("backoff", backoff, en_backoff_fields),
    OPTION("priority", EN_INT, priority),
    OPTION("unique", EN_TEXT, unique),
    OPTION("uniqueFor", EN_DOUBLE, unique_for),
    OPTION_WORD("uniqueUntil", unique_until, "ttl", "done", "started"),
    OPTION_WORD("uniquePolicy", unique_policy, "ignore", "replace", "extend"),
    OPTION_STRUCT("rate", rate, rate_fields),
    OPTION_STRUCT("concurrency", concurrency, concurrency_fields),
    OPTION_STRUCT("throttle", throttle, rate_fields),
    OPTION("tags", EN_TEXTS, tags),
    OPTION("encrypted", EN_BOOL, encrypted),
    OPTION("retryUntilMs", EN_INT64, retry_until_ms),
    {0},
};

const struct en_field en_item_fields[] = {
    EN_FIELD("name", EN_TEXT, struct en_item, name),
    EN_FIELD("data", EN_JSON, struct en_item, data),
    {"options", EN_STRUCT, offsetof(struct en_item, options),
     .fields = en_options_fields},
    {0},
};

#define CONFIG(name, kind, member) EN_FIELD(name, kind, struct errand_config, member)
const struct en_field en_config_fields[] = {
    {"durable", EN_WORD, offsetof(struct errand_config, durable),
     .words = NAME_TABLE("normal", "full")},
    CONFIG("mustExist", EN_BOOL, must_exist),
    CONFIG("readOnly", EN_BOOL, read_only),
    CONFIG("busyMs", EN_INT64, busy_ms),
    CONFIG("keepCompletedMs", EN_INT64, keep_completed_ms),
    CONFIG("keepCompletedN", EN_INT64, keep_completed_n),
    CONFIG("maxData", EN_SIZE, max_data),
    CONFIG("maxDepth", EN_INT, max_depth),
    CONFIG("queue", EN_TEXT, queue),
    CONFIG("tries", EN_INT, tries),
    CONFIG("timeout", EN_DOUBLE, timeout),
    {"backoff", EN_STRUCT, offsetof(struct errand_config, backoff),
     .fields = en_backoff_fields},
    CONFIG("keys", EN_TEXT, keys),
    {0},
};

/* ------------------------------------------------------------------ one job */

#define JOB(name, kind, member) EN_FIELD(name, kind, struct errand_job_info, member)
const struct en_field en_job_fields[] = {
    JOB("id", EN_ID, id),
    JOB("name", EN_TEXT, name),
    JOB("queue", EN_TEXT, queue),
    JOB("worker", EN_TEXT, worker),
    {"state", EN_WORD, offsetof(struct errand_job_info, state), .words = en_state_words},
    JOB("priority", EN_INT32, priority),
    JOB("attempts", EN_INT32, attempts),
    JOB("tries", EN_INT32, tries),
    JOB("runAtMs", EN_INT64, run_at_ms),
    JOB("createdMs", EN_INT64, created_ms),
    JOB("startedMs", EN_INT64, started_ms),
    JOB("finishedMs", EN_INT64, finished_ms),
    JOB("data", EN_JSON, data),
    JOB("options", EN_JSON, options),
    JOB("error", EN_JSON, error),
    JOB("result", EN_JSON, result),
    JOB("batch", EN_ID, batch),
    JOB("progress", EN_INT32, progress),
    JOB("progressNote", EN_JSON, progress_note),
    {0},
};

static const char *const causes[] = {"none",   "error",    "exit",   "signal",
                                     "memory", "timeout",  "cancel", "lease",
                                     "start",  "protocol", NULL};

#define ATTEMPT(name, kind, member) EN_FIELD(name, kind, struct errand_attempt, member)
static const struct en_field attempt_fields[] = {
    ATTEMPT("n", EN_INT32, n),
    ATTEMPT("startedMs", EN_INT64, started_ms),
    ATTEMPT("endedMs", EN_INT64, ended_ms),
    ATTEMPT("worker", EN_TEXT, worker),
    {"cause", EN_WORD, offsetof(struct errand_attempt, cause), .words = causes},
    ATTEMPT("error", EN_JSON, error),
    ATTEMPT("log", EN_JSON, log),
    {0},
};

const struct en_field en_detail_fields[] = {
    {"job", EN_STRUCT, offsetof(struct errand_job_detail, job), .fields = en_job_fields},
    {"attempts", EN_LIST, offsetof(struct errand_job_detail, attempts),
     offsetof(struct errand_job_detail, attempts_n), sizeof(struct errand_attempt),
     attempt_fields},
    {0},
};
