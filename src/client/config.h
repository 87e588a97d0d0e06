/* config.h: errand.yml, environment and flags, in that order, into one typed table.
 * Errors name file, line and column. */
#ifndef ER_CLIENT_CONFIG_H
#define ER_CLIENT_CONFIG_H

#include "base/arena.h"
#include "core/options.h"
#include "errand/client.h"
#include "errand/worker.h"

/* Options of one queue: `queues: { mail: { tries: 5, weight: 3 } }`. */
struct er_config_queue {
    const char *name;
    struct er_options options;
    int weight;
};

struct er_config {
    struct errand_arena *arena; /* owns everything here */
    const char *project; /* folder: nearest parent with errand.yml, else the current
                            folder; absolute */
    const char *file;    /* errand.yml that was read, or NULL */
    const char *url;     /* resolved: relative sqlite paths are relative to the project */
    struct errand_config client;
    struct er_options defaults; /* `defaults:` tries, timeout, backoff, … for all jobs */
    struct er_config_queue *queues;
    size_t queues_n;
    struct errand_worker_options worker; /* `worker:` concurrency, grace, lease, … */
    const char *const *env_allow; /* NULL: handlers inherit all but errand's secrets; else
                                     only these (NULL-terminated) */
};

struct er_config_args {
    const char *file; /* --config */
    const char *url;  /* --url */
    const char *cwd;  /* NULL: the current folder */
};

/* The table behind errand.yml, docs and config:check: every key with type, default and
 * one line of help. */
struct er_config_key {
    const char *path; /* "worker.concurrency" */
    const char *type; /* "int", "seconds", "text", "bool", "list", "size", … */
    const char *standard;
    const char *env; /* "ERRAND_URL" or NULL */
    const char *help;
};
extern const struct er_config_key er_config_keys[];
extern const size_t er_config_keys_n;

int er_config_load(const struct er_config_args *args, struct er_config **ret,
                   struct errand_error *err);
void er_config_free(struct er_config *config);

#endif
