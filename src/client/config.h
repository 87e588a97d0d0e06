/* config.h: errand.yml, environment and flags, in that order, into one typed table.
 * Errors name file, line and column.
 *
 * The table er_config_keys is the single source: the parser, the environment,
 * docs/configuration.md and config:check all read it. */
#ifndef ER_CLIENT_CONFIG_H
#define ER_CLIENT_CONFIG_H

#include "base/arena.h"
#include "core/options.h"
#include "core/schedule.h"
#include "errand/client.h"
#include "errand/health.h"
#include "errand/notify.h"
#include "errand/worker.h"

/* MiB of address space: with less no runner gets as far as its main. */
enum { ER_WORKER_MEMORY_LEAST = 16, ER_WORKER_MEMORY_MOST = 1 << 24 };

/* Options of one queue: `queues: { mail: { tries: 5, weight: 3 } }`. */
struct er_config_queue {
    const char *name;
    struct er_options options;
    int weight; /* 0: not said */
};

/* One of `schedules: { nightly: { cron: 0 3 * * * } }`. */
struct er_config_schedule {
    const char *name;
    const char *place; /* "/srv/app/errand.yml:3:5" */
    struct er_schedule schedule;
};

/* One key that somebody said. */
struct er_config_setting {
    const char *path; /* "worker.concurrency", "queues.mail.tries" */
    /* as it was written; a list with commas between; URLs without their password */
    const char *text;
    /* "errand.yml:3", "environment ERRAND_URL", "flag --url", "default" */
    const char *origin;
};

struct er_config {
    struct errand_arena *arena; /* owns everything here */
    /* folder: nearest parent with errand.yml, else the current folder; with --config the
     * folder of that file; absolute */
    const char *project;
    const char *file; /* the file that was read, absolute, or NULL */
    const char *name; /* NULL: the folder will do */
    /* relative sqlite paths made absolute: those of a flag from the current folder, all
     * others from the project */
    const char *url;
    struct errand_config client; /* with queue, tries, timeout, backoff of `defaults` */
    struct er_options defaults; /* `defaults:` tries, timeout, backoff, … for all jobs */
    struct er_config_queue *queues;
    size_t queues_n;
    struct er_config_schedule *schedules;
    size_t schedules_n;
    struct errand_health_limits health; /* `health:` */
    /* `worker:` concurrency, grace, lease, …; project is set */
    struct errand_worker_options worker;
    /* NULL: handlers inherit all but errand's secrets; else only these
     * (NULL-terminated) */
    const char *const *env_allow;
    struct errand_notify notify; /* `notifications:`; without channels: none */
    const char **secret_env;     /* variables that hold its secrets (NULL-terminated) */
    bool has_secret;             /* the file holds one itself */
    struct er_config_setting *settings; /* what was said, in the order it was said */
    size_t settings_n;
};

struct er_config_args {
    const char *file; /* --config; NULL: ERRAND_CONFIG, then errand.yml */
    const char *url;  /* --url */
    const char *cwd;  /* NULL: the current folder */
};

enum er_config_kind {
    ER_CONFIG_TEXT,
    ER_CONFIG_INT,
    ER_CONFIG_SECONDS, /* a double: seconds */
    ER_CONFIG_MS,      /* an int64_t: milliseconds */
    ER_CONFIG_SIZE,    /* a size_t: bytes */
    ER_CONFIG_MIB,     /* an int64_t: MiB, which is what a bare number means */
    ER_CONFIG_BOOL,
    ER_CONFIG_LIST,       /* const char *const *, NULL-terminated */
    ER_CONFIG_KEEP_AGE,   /* an int64_t: milliseconds, or none or all */
    ER_CONFIG_KEEP_COUNT, /* an int64_t, or none or all */
    ER_CONFIG_DURABLE,
    ER_CONFIG_URL,
    ER_CONFIG_PATH,   /* of a file; a relative one is relative to the project */
    ER_CONFIG_OPTION, /* er_options_set() of defaults or of a queue */
    ER_CONFIG_WEIGHT,
    ER_CONFIG_SHARE,    /* a double from 0 to 1 */
    ER_CONFIG_NOTIFY,   /* er_notify_set() */
    ER_CONFIG_SCHEDULE, /* er_schedule_set() of a schedule */
};

/* The table behind errand.yml, docs and config:check: every key with type, default and
 * one line of help. `queues.*.tries` stands for that key of any queue, and so with
 * schedules. */
struct er_config_key {
    const char *path; /* "worker.concurrency" */
    const char *type; /* "int", "seconds", "text", "bool", "list", "size", … */
    const char *standard;
    const char *env; /* "ERRAND_URL" or NULL */
    const char *help;
    enum er_config_kind kind;
    size_t offset;   /* of its value in struct er_config */
    double min, max; /* of numbers and times (seconds, bytes, MiB) */
};
extern const struct er_config_key er_config_keys[];
extern const size_t er_config_keys_n;

int er_config_load(const struct er_config_args *args, struct er_config **ret,
                   struct errand_error *err);
void er_config_free(struct er_config *config); /* NULL allowed */

/* What the project is called as an owner of schedules. Borrowed. */
const char *er_config_owner(const struct er_config *config);
/* What the configuration says about a queue, or NULL. */
const struct er_config_queue *er_config_queue_find(const struct er_config *config,
                                                   const char *name);

/* Where a key's value came from and what it is: "errand.yml:3" and "8"; "default" and the
 * table's default when nobody said it; NULL for a path that is no key. */
const char *er_config_origin(const struct er_config *config, const char *path);
const char *er_config_value_text(const struct er_config *config, const char *path);

/* Every key, said or not, in the order of the table, each queue's keys that were said in
 * their place: what config:check prints. */
int er_config_list(const struct er_config *config, struct errand_arena *arena,
                   struct er_config_setting **ret, size_t *ret_n,
                   struct errand_error *err);

#endif
