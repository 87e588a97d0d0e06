/* config_table.c: every key of the configuration, and what to say of one that is none. */
#include "client/config_parts.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"

#define DAYS 86400.0
#define AT(field) offsetof(struct er_config, field)

/* ERRAND_QUEUE and ERRAND_TRIES are no environment of ours on purpose: a handler has them
 * set by its worker, and what it dispatches must not end up on its own queue by accident.
 */
const struct er_config_key er_config_keys[] = {
    {"url", "URL", "sqlite:errand.db", "ERRAND_URL",
     "where jobs live; a relative path is relative to the project", ER_CONFIG_URL,
     AT(url), 0, 0},
    {"name", "name", "the folder", NULL,
     "what the project is called as the owner of its schedules; for one whose folder is "
     "another with each release",
     ER_CONFIG_TEXT, AT(name), 0, 0},
    {"durable", "normal or full", "normal", "ERRAND_DURABLE",
     "normal: a job survives the kill of any process; full: also loss of power",
     ER_CONFIG_DURABLE, AT(client.durable), 0, 0},
    {"busy", "seconds", "30", NULL,
     "how long a call may wait for another writer before it fails", ER_CONFIG_MS,
     AT(client.busy_ms), 0.001, 3600},
    {"force", "bool", "false", NULL,
     "accept a store that is refused otherwise, such as a file on a network file system",
     ER_CONFIG_BOOL, AT(client.force), 0, 0},
    {"keep_completed", "seconds, none or all", "24h", NULL,
     "how long completed jobs are kept", ER_CONFIG_KEEP_AGE, AT(client.keep_completed_ms),
     0, 36500 * DAYS},
    {"keep_completed_max", "number, none or all", "10000", NULL,
     "how many completed jobs are kept, each queue by itself", ER_CONFIG_KEEP_COUNT,
     AT(client.keep_completed_n), 0, 1e15},
    {"max_data", "size", "1MiB", NULL, "largest data of a job", ER_CONFIG_SIZE,
     AT(client.max_data), 1, 16 << 20},
    {"max_depth", "number", "64", NULL, "deepest nesting in the data of a job",
     ER_CONFIG_INT, AT(client.max_depth), 1, 1000},
    {"keys", "path", "none", "ERRAND_KEYS",
     "the key ring for encrypted data; a relative path is relative to the project",
     ER_CONFIG_PATH, AT(client.keys), 0, 0},

    {"defaults.queue", "name", "default", NULL, "queue of jobs that name none",
     ER_CONFIG_OPTION, 0, 0, 0},
    {"defaults.tries", "number", "3", NULL, "attempts a job may take", ER_CONFIG_OPTION,
     0, 0, 0},
    {"defaults.timeout", "seconds", "300", NULL, "time an attempt may take",
     ER_CONFIG_OPTION, 0, 0, 0},
    {"defaults.backoff", "seconds or list", "10", NULL,
     "wait before a retry, or the base of a strategy; a list has one wait per retry and "
     "its last one repeats",
     ER_CONFIG_OPTION, 0, 0, 0},
    {"defaults.backoff_strategy", "fixed, linear or exponential", "exponential", NULL,
     "how the wait grows; a list wins over it", ER_CONFIG_OPTION, 0, 0, 0},
    {"defaults.backoff_cap", "seconds", "1h", NULL, "longest wait of a strategy",
     ER_CONFIG_OPTION, 0, 0, 0},
    {"defaults.backoff_jitter", "share from 0 to 1", "0.2", NULL,
     "random share added to the wait of a strategy", ER_CONFIG_OPTION, 0, 0, 0},
    {"defaults.priority", "number", "0", NULL, "smaller goes first", ER_CONFIG_OPTION, 0,
     0, 0},
    {"defaults.encrypted", "bool", "false", NULL, "data of all jobs is encrypted",
     ER_CONFIG_OPTION, 0, 0, 0},

    {"queues.*.tries", "number", "", NULL, "as in defaults, for jobs on this queue",
     ER_CONFIG_OPTION, 0, 0, 0},
    {"queues.*.timeout", "seconds", "", NULL, "the same", ER_CONFIG_OPTION, 0, 0, 0},
    {"queues.*.backoff", "seconds or list", "", NULL, "the same", ER_CONFIG_OPTION, 0, 0,
     0},
    {"queues.*.backoff_strategy", "fixed, linear or exponential", "", NULL, "the same",
     ER_CONFIG_OPTION, 0, 0, 0},
    {"queues.*.backoff_cap", "seconds", "", NULL, "the same", ER_CONFIG_OPTION, 0, 0, 0},
    {"queues.*.backoff_jitter", "share from 0 to 1", "", NULL, "the same",
     ER_CONFIG_OPTION, 0, 0, 0},
    {"queues.*.priority", "number", "", NULL, "the same", ER_CONFIG_OPTION, 0, 0, 0},
    {"queues.*.max_data", "size", "", NULL, "largest data of a job on this queue",
     ER_CONFIG_OPTION, 0, 0, 0},
    {"queues.*.max_depth", "number", "", NULL,
     "deepest nesting in the data of a job on this queue", ER_CONFIG_OPTION, 0, 0, 0},
    {"queues.*.encrypted", "bool", "", NULL, "data of jobs on this queue is encrypted",
     ER_CONFIG_OPTION, 0, 0, 0},
    {"queues.*.weight", "number", "", NULL,
     "share of a worker's time; without any weight the order is strict", ER_CONFIG_WEIGHT,
     0, 1, 1000},

    {"schedules.*.cron", "cron line", "", NULL,
     "when: minute hour day-of-month month day-of-week, with seconds in front when there "
     "are six; or @daily and its like. One that begins with * or @ goes in quotes",
     ER_CONFIG_SCHEDULE, 0, 0, 0},
    {"schedules.*.zone", "time zone", "UTC", NULL, "such as Europe/Berlin",
     ER_CONFIG_SCHEDULE, 0, 0, 0},
    {"schedules.*.job", "name", "the schedule's", NULL, "the job to dispatch",
     ER_CONFIG_SCHEDULE, 0, 0, 0},
    {"schedules.*.data", "JSON", "null", NULL, "its data, in single quotes",
     ER_CONFIG_SCHEDULE, 0, 0, 0},
    {"schedules.*.overlap", "skip, allow or one-waiting", "skip", NULL,
     "what becomes of a slot while the job of an earlier one has not ended",
     ER_CONFIG_SCHEDULE, 0, 0, 0},
    {"schedules.*.missed", "once, skip or all", "once", NULL,
     "what becomes of slots that passed while no scheduler ran: one job for all of them, "
     "none, or one each",
     ER_CONFIG_SCHEDULE, 0, 0, 0},
    {"schedules.*.missed_max", "number", "100", NULL,
     "with missed: all, how many of the last ones", ER_CONFIG_SCHEDULE, 0, 0, 0},
    {"schedules.*.jitter", "seconds", "0", NULL,
     "each slot fires up to so much later, the same time for the same slot",
     ER_CONFIG_SCHEDULE, 0, 0, 0},
    {"schedules.*.queue", "name", "", NULL, "of the job, before what its class says",
     ER_CONFIG_SCHEDULE, 0, 0, 0},
    {"schedules.*.tries", "number", "", NULL, "the same", ER_CONFIG_SCHEDULE, 0, 0, 0},
    {"schedules.*.timeout", "seconds", "", NULL, "the same", ER_CONFIG_SCHEDULE, 0, 0, 0},
    {"schedules.*.backoff", "seconds or list", "", NULL, "the same", ER_CONFIG_SCHEDULE,
     0, 0, 0},
    {"schedules.*.priority", "number", "", NULL, "the same", ER_CONFIG_SCHEDULE, 0, 0, 0},
    {"schedules.*.unique", "text", "", NULL, "the same: the key itself",
     ER_CONFIG_SCHEDULE, 0, 0, 0},
    {"schedules.*.unique_for", "seconds", "", NULL, "the same", ER_CONFIG_SCHEDULE, 0, 0,
     0},
    {"schedules.*.tags", "list", "", NULL, "the same", ER_CONFIG_SCHEDULE, 0, 0, 0},

    {"health.ready_degraded", "number", "1000", NULL,
     "ready jobs of one queue, from this many on somebody should look", ER_CONFIG_INT,
     AT(health.ready_degraded), 1, 1e15},
    {"health.ready_unhealthy", "number", "5000", NULL, "the same: look now",
     ER_CONFIG_INT, AT(health.ready_unhealthy), 1, 1e15},
    {"health.failed_degraded", "number", "10", NULL, "failed jobs of all queues",
     ER_CONFIG_INT, AT(health.failed_degraded), 1, 1e15},
    {"health.failed_unhealthy", "number", "100", NULL, "the same", ER_CONFIG_INT,
     AT(health.failed_unhealthy), 1, 1e15},
    {"health.oldest_degraded", "seconds", "1h", NULL,
     "how long the oldest ready job of a queue has been waiting", ER_CONFIG_MS,
     AT(health.oldest_degraded_ms), 1, 36500 * DAYS},
    {"health.oldest_unhealthy", "seconds", "24h", NULL, "the same", ER_CONFIG_MS,
     AT(health.oldest_unhealthy_ms), 1, 36500 * DAYS},
    {"health.errors_degraded", "share from 0 to 1", "0.1", NULL,
     "share of the attempts of the last minutes that failed", ER_CONFIG_SHARE,
     AT(health.errors_degraded), 0.0001, 1},
    {"health.errors_unhealthy", "share from 0 to 1", "0.5", NULL, "the same",
     ER_CONFIG_SHARE, AT(health.errors_unhealthy), 0.0001, 1},
    {"health.errors_window", "seconds", "5m", NULL, "how far back that looks",
     ER_CONFIG_MS, AT(health.errors_window_ms), 60, DAYS},
    {"health.errors_sample", "number", "20", NULL,
     "with fewer attempts than this it says nothing", ER_CONFIG_INT,
     AT(health.errors_sample), 1, 1e15},
    {"health.no_worker", "seconds", "60", NULL,
     "unhealthy when ready jobs, or running ones whose worker is gone, have had no "
     "worker for so long",
     ER_CONFIG_MS, AT(health.no_worker_ms), 1, 36500 * DAYS},

    {"worker.queues", "list", "all", "ERRAND_QUEUES",
     "queues to work, the first one first; all: all queues as one line", ER_CONFIG_LIST,
     AT(worker.queues), 0, 0},
    {"worker.concurrency", "number", "cores", "ERRAND_CONCURRENCY",
     "jobs that run at the same time", ER_CONFIG_INT, AT(worker.concurrency), 1, 1000},
    {"worker.grace", "seconds", "30", "ERRAND_GRACE",
     "time that running jobs get when the worker stops", ER_CONFIG_SECONDS,
     AT(worker.grace), 0.001, DAYS},
    {"worker.lease", "seconds", "30", NULL,
     "how long a job stays with a worker that is not heard of", ER_CONFIG_SECONDS,
     AT(worker.lease), 1, DAYS},
    {"worker.sleep", "seconds", "1", NULL,
     "longest sleep when there is nothing to do; wake-ups come before it",
     ER_CONFIG_SECONDS, AT(worker.sleep), 0.01, 3600},
    {"worker.memory", "MiB", "none", "ERRAND_MEMORY",
     "memory a job may use; a plain number is MiB", ER_CONFIG_MIB, AT(worker.memory),
     ER_WORKER_MEMORY_LEAST, ER_WORKER_MEMORY_MOST},
    {"worker.max_jobs", "number", "none", NULL, "the worker ends after so many attempts",
     ER_CONFIG_INT, AT(worker.max_jobs), 1, 1e15},
    {"worker.max_time", "seconds", "none", NULL, "the worker ends after so long",
     ER_CONFIG_SECONDS, AT(worker.max_time), 0.001, 36500 * DAYS},
    {"worker.runner_max_jobs", "number", "100000", NULL,
     "a child process is replaced after so many jobs", ER_CONFIG_INT,
     AT(worker.runner_max_jobs), 1, 2e9},
    {"worker.runner_max_age", "seconds", "1h", NULL,
     "a child process is replaced after so long", ER_CONFIG_SECONDS,
     AT(worker.runner_max_age), 1, 3650 * DAYS},
    {"worker.name", "name", "host-pid", NULL, "what this worker is called in lists",
     ER_CONFIG_TEXT, AT(worker.name), 0, 0},
    {"worker.quiet", "bool", "false", NULL, "print nothing but errors", ER_CONFIG_BOOL,
     AT(worker.is_quiet), 0, 0},
    {"worker.env", "list", "all", NULL,
     "names of the environment variables that jobs see; all: all but errand's secrets",
     ER_CONFIG_LIST, AT(env_allow), 0, 0},

    {"notifications.channels", "list", "none", NULL,
     "how to tell of jobs that have failed for good: email, slack, webhook",
     ER_CONFIG_NOTIFY, 0, 0, 0},
    {"notifications.every", "seconds", "5m", NULL,
     "time between two messages about one job on one queue; 0: one for each failure",
     ER_CONFIG_NOTIFY, 0, 0, 0},
    {"notifications.email.to", "list", "", NULL, "addresses", ER_CONFIG_NOTIFY, 0, 0, 0},
    {"notifications.email.from", "address", "errand@host", NULL, "the sender",
     ER_CONFIG_NOTIFY, 0, 0, 0},
    {"notifications.email.host", "host", "", NULL, "the mail server (SMTP)",
     ER_CONFIG_NOTIFY, 0, 0, 0},
    {"notifications.email.port", "number", "587", NULL,
     "465 with tls: implicit, 25 with none", ER_CONFIG_NOTIFY, 0, 0, 0},
    {"notifications.email.tls", "starttls, implicit or none", "starttls", NULL,
     "none: to a server on this machine alone", ER_CONFIG_NOTIFY, 0, 0, 0},
    {"notifications.email.user", "text", "", NULL, "for the log-in", ER_CONFIG_NOTIFY, 0,
     0, 0},
    {"notifications.email.password", "text", "", "ERRAND_SMTP_PASSWORD", "for the log-in",
     ER_CONFIG_NOTIFY, 0, 0, 0},
    {"notifications.email.password_file", "file", "", NULL, "a file that holds it",
     ER_CONFIG_NOTIFY, 0, 0, 0},
    {"notifications.slack.webhook", "URL", "", "ERRAND_SLACK_WEBHOOK",
     "the URL that Slack gave you", ER_CONFIG_NOTIFY, 0, 0, 0},
    {"notifications.slack.webhook_file", "file", "", NULL, "a file that holds it",
     ER_CONFIG_NOTIFY, 0, 0, 0},
    {"notifications.webhook.url", "URL", "", "ERRAND_WEBHOOK_URL",
     "where to POST the failure as JSON", ER_CONFIG_NOTIFY, 0, 0, 0},
    {"notifications.webhook.url_file", "file", "", NULL, "a file that holds it",
     ER_CONFIG_NOTIFY, 0, 0, 0},
    {"notifications.webhook.secret", "text", "", "ERRAND_WEBHOOK_SECRET",
     "signs what is sent; whsec_ and base64, or any text", ER_CONFIG_NOTIFY, 0, 0, 0},
    {"notifications.webhook.secret_file", "file", "", NULL, "a file that holds it",
     ER_CONFIG_NOTIFY, 0, 0, 0},
    {"notifications.allow", "list", "none", NULL,
     "networks that webhooks may go to although they are not public, such as "
     "10.1.0.0/16; there a URL may be http",
     ER_CONFIG_NOTIFY, 0, 0, 0},
    {"notifications.ports", "list", "80, 443", NULL, "further ports for webhooks",
     ER_CONFIG_NOTIFY, 0, 0, 0},
    {"notifications.ca_file", "file", "the system's", NULL,
     "certificates to trust (PEM), in place of the system's", ER_CONFIG_NOTIFY, 0, 0, 0},
};
const size_t er_config_keys_n = sizeof er_config_keys / sizeof *er_config_keys;

const struct er_config_key *er_config_key_find(const char *pattern)
{
    for (size_t i = 0; i < er_config_keys_n; i++)
        if (strcmp(er_config_keys[i].path, pattern) == 0)
            return &er_config_keys[i];
    return NULL;
}

bool er_config_is_group(const char *pattern)
{
    size_t len = strlen(pattern);

    for (size_t i = 0; i < er_config_keys_n; i++)
        if (strncmp(er_config_keys[i].path, pattern, len) == 0 &&
            er_config_keys[i].path[len] == '.')
            return true;
    return false;
}

/* ------------------------------------------------------------------ errors */

int er_config_error(const struct er_config_place *place, struct errand_error *err,
                    const char *fmt, ...)
{
    char text[ERRAND_ERROR_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (place->file)
        return errand_error_set(err, ERRAND_EINVAL, "%s:%zu:%zu: %s", place->file,
                                place->line, place->column, text);
    return errand_error_set(err, ERRAND_EINVAL, "%s: %s", place->label, text);
}

/* The word of a key's path that stands right below a group: "worker" and "worker.grace"
 * give "grace". */
static bool child_of(const char *path, const char *group, char *word, size_t size)
{
    size_t len = strlen(group), n;

    if (len > 0) {
        if (strncmp(path, group, len) != 0 || path[len] != '.')
            return false;
        path += len + 1;
    }
    n = strcspn(path, ".");
    snprintf(word, size, "%.*s", (int)n, path);
    return true;
}

int er_config_unknown(const struct er_config_place *place, const char *group_pattern,
                      const char *group, const char *name, struct errand_error *err)
{
    char best[64] = "", word[64], full[64] = "";
    size_t best_d = 3;

    for (size_t i = 0; i < er_config_keys_n; i++) {
        const char *last = strrchr(er_config_keys[i].path, '.');
        if (child_of(er_config_keys[i].path, group_pattern, word, sizeof word) &&
            er_word_distance(name, word) < best_d) {
            best_d = er_word_distance(name, word);
            snprintf(best, sizeof best, "%s", word);
        }
        if (strcmp(name, last ? last + 1 : er_config_keys[i].path) == 0 && !full[0])
            snprintf(full, sizeof full, "%s", er_config_keys[i].path);
    }
    if (best[0])
        return er_config_error(place, err, "there is no key '%s%s%s', did you mean '%s'?",
                               group, group[0] ? "." : "", name, best);
    if (full[0])
        return er_config_error(place, err, "there is no key '%s%s%s', did you mean '%s'?",
                               group, group[0] ? "." : "", name, full);
    return er_config_error(place, err,
                           "there is no key '%s%s%s'; docs/configuration.md lists all",
                           group, group[0] ? "." : "", name);
}
