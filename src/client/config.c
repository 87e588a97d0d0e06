/* config.c: finding the project, reading what is said about it, and telling who said it.
 *
 * The order is: errand.yml, environment, flags; the later wins. Flags beside --config and
 * --url belong to single commands, which put them over what is loaded here. */
#include "client/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "client/config_parts.h"
#include "client/health.h"
#include "client/notify.h"
#include "store/store.h"

/* ------------------------------------------------------------------ environment, flags
 */

/* A list in the environment has commas between its items. */
static int split(struct errand_arena *arena, const char *text,
                 struct er_config_value *value)
{
    size_t n = 1, i = 0;
    const char **items;

    for (const char *p = text; *p; p++)
        n += *p == ',';
    if (!(items = errand_arena_alloc(arena, (n + 1) * sizeof *items)))
        return -1;
    for (const char *p = text; i < n; i++) {
        size_t len = strcspn(p, ",");
        if (!(items[i] = errand_arena_copy(arena, p, len)))
            return -1;
        p += len + 1;
    }
    *value = (struct er_config_value){.items = items, .items_n = n};
    return 0;
}

static int say_text(struct er_config *config, const struct er_config_key *key,
                    const char *text, const char *label, struct errand_error *err)
{
    struct er_config_place place = {.label = label};
    struct er_config_value value = {0};
    const char **one;

    if (key->kind == ER_CONFIG_LIST) {
        if (split(config->arena, text, &value) < 0)
            return er_error_nomem(err);
    } else {
        if (!(one = errand_arena_alloc(config->arena, 2 * sizeof *one)) ||
            !(one[0] = errand_arena_copy(config->arena, text, strlen(text))))
            return er_error_nomem(err);
        value = (struct er_config_value){.items = one, .items_n = 1};
    }
    return er_config_say(config, key, key->path, NULL, &value, &place, err);
}

static int read_environment(struct er_config *config, struct errand_error *err)
{
    int rc;

    for (size_t i = 0; i < er_config_keys_n; i++) {
        const struct er_config_key *key = &er_config_keys[i];
        const char *text = key->env ? getenv(key->env) : NULL;
        char *label;
        if (!text || !text[0])
            continue;
        if (!(label = er_arena_printf(config->arena, "environment %s", key->env)))
            return er_error_nomem(err);
        if ((rc = say_text(config, key, text, label, err)) < 0)
            return rc;
    }
    return 0;
}

/* ------------------------------------------------------------------ what follows from it
 */

static int resolve_url(struct er_config *config, const struct er_config_args *args,
                       const char *cwd, struct errand_error *err)
{
    static const char scheme[] = "sqlite:";
    char *full;
    const char *path, *url = config->url ? config->url : er_config_keys[0].standard;
    int rc;

    if ((rc = er_store_url_check(url, err)) < 0)
        return er_error_wrap(err, rc, "%s: url", er_config_origin(config, "url"));
    config->url = url;
    if (strncmp(url, scheme, strlen(scheme)) != 0)
        return 0;
    path = url + strlen(scheme);
    if (path[0] == '/' || path[0] == '\0' || path[0] == ':')
        return 0; /* absolute, or for the driver to refuse */
    full = er_config_path(config->arena, args->url ? cwd : config->project, path);
    config->url = full ? er_arena_printf(config->arena, "%s%s", scheme, full) : NULL;
    return config->url ? 0 : er_error_nomem(err);
}

static int resolve_keys(struct er_config *config, struct errand_error *err)
{
    const char *path = config->client.keys;

    if (!path || path[0] == '/')
        return 0;
    config->client.keys = er_config_path(config->arena, config->project, path);
    return config->client.keys ? 0 : er_error_nomem(err);
}

static struct errand_worker_queue queue_public(const struct er_config_queue *queue)
{
    const struct er_options *o = &queue->options;
    struct errand_worker_queue q = {.name = queue->name, .weight = queue->weight};

    if (o->has & ER_OPT_TRIES)
        q.tries = o->tries;
    if (o->has & ER_OPT_TIMEOUT)
        q.timeout = (double)o->timeout_ms / 1000;
    if (o->has & ER_OPT_BACKOFF)
        q.backoff = o->backoff;
    return q;
}

static bool is_among(const char *entry, const char *const *names)
{
    size_t len = strcspn(entry, "=");

    for (; names && *names; names++)
        if (strlen(*names) == len && strncmp(entry, *names, len) == 0)
            return true;
    return false;
}

/* A variable that holds a secret of ours is none of a handler's business: those it may
 * see are named one by one, without it. */
static int hide_secrets(struct er_config *config, struct errand_error *err)
{
    const char *const *from =
        config->env_allow ? config->env_allow : (const char *const *)environ;
    size_t n = 0, kept = 0;
    const char **names;

    if (!config->secret_env)
        return 0;
    while (from && from[n])
        n++;
    if (!(names = errand_arena_alloc(config->arena, (n + 1) * sizeof *names)))
        return er_error_nomem(err);
    for (size_t i = 0; i < n; i++)
        if (!is_among(from[i], config->secret_env) &&
            !(names[kept++] =
                  errand_arena_copy(config->arena, from[i], strcspn(from[i], "="))))
            return er_error_nomem(err);
    config->env_allow = names;
    return 0;
}

/* What the library's own structs can hold of the rest. */
static int fill_public(struct er_config *config, struct errand_error *err)
{
    struct errand_worker_queue *queues = NULL;
    int rc;

    const struct er_options *d = &config->defaults;

    if (d->has & ER_OPT_QUEUE)
        config->client.queue = d->queue;
    if (d->has & ER_OPT_TRIES)
        config->client.tries = d->tries;
    if (d->has & ER_OPT_TIMEOUT)
        config->client.timeout = (double)d->timeout_ms / 1000;
    if (d->has & ER_OPT_BACKOFF)
        config->client.backoff = d->backoff;
    if ((rc = hide_secrets(config, err)) < 0)
        return rc;
    config->worker.env_allow = config->env_allow;
    config->worker.project_name = config->name;
    if (config->queues_n > 0) {
        if (!(queues =
                  errand_arena_alloc(config->arena, config->queues_n * sizeof *queues)))
            return er_error_nomem(err);
        for (size_t i = 0; i < config->queues_n; i++)
            queues[i] = queue_public(&config->queues[i]);
    }
    config->worker.queue_options = queues;
    config->worker.queue_options_n = config->queues_n;
    return 0;
}

/* What only shows when all of a group is read: a list beside a strategy, and so on. */
static int check_whole(const struct er_config *config, struct errand_error *err)
{
    int rc;

    if ((rc = er_options_check(&config->defaults, err)) < 0)
        return er_error_wrap(err, rc, "%s: defaults", config->file);
    for (size_t i = 0; i < config->queues_n; i++)
        if ((rc = er_options_check(&config->queues[i].options, err)) < 0)
            return er_error_wrap(err, rc, "%s: queues.%s", config->file,
                                 config->queues[i].name);
    return 0;
}

/* Errors of a single value were told in its place; these are of the whole. */
static int check_schedules(const struct er_config *config, struct errand_error *err)
{
    int rc;

    for (size_t i = 0; i < config->schedules_n; i++)
        if ((rc = er_schedule_check(&config->schedules[i].schedule, err)) < 0)
            return er_error_wrap(err, rc, "%s: schedules.%s", config->schedules[i].place,
                                 config->schedules[i].name);
    return 0;
}

static int load(struct er_config *config, const struct er_config_args *args,
                struct errand_error *err)
{
    char *cwd;
    int rc;

    if ((rc = er_config_find(config, args, &cwd, err)) < 0)
        return rc;
    if (config->file &&
        ((rc = er_config_read_file(config, err)) < 0 ||
         (rc = check_whole(config, err)) < 0 || (rc = check_schedules(config, err)) < 0))
        return rc;
    if ((rc = read_environment(config, err)) < 0)
        return rc;
    if (args->url && (rc = say_text(config, er_config_key_find("url"), args->url,
                                    "flag --url", err)) < 0)
        return rc;
    if ((rc = er_notify_check(&config->notify, err)) < 0)
        return er_error_wrap(err, rc, "%s: notifications",
                             config->file ? config->file : "environment");
    if ((rc = er_health_limits_check(&config->health, err)) < 0)
        return er_error_wrap(err, rc, "%s", config->file ? config->file : "environment");
    if ((rc = fill_public(config, err)) < 0 || (rc = resolve_keys(config, err)) < 0)
        return rc;
    return resolve_url(config, args, cwd, err);
}

int er_config_load(const struct er_config_args *args, struct er_config **ret,
                   struct errand_error *err)
{
    static const struct er_config_args none;
    struct errand_arena *arena = er_arena_new();
    struct er_config *config = arena ? errand_arena_alloc(arena, sizeof *config) : NULL;
    int rc;

    if (!config) {
        er_arena_free(arena);
        return er_error_nomem(err);
    }
    config->arena = arena;
    if ((rc = load(config, args ? args : &none, err)) < 0) {
        er_arena_free(arena);
        return rc;
    }
    *ret = config;
    return 0;
}

void er_config_free(struct er_config *config)
{
    if (config)
        er_arena_free(config->arena);
}

/* ------------------------------------------------------------------ who said what */

const struct er_config_queue *er_config_queue_find(const struct er_config *config,
                                                   const char *name)
{
    for (size_t i = 0; i < config->queues_n; i++)
        if (strcmp(config->queues[i].name, name) == 0)
            return &config->queues[i];
    return NULL;
}

/* The one that holds: the last that was said. */
static const struct er_config_setting *setting_find(const struct er_config *config,
                                                    const char *path)
{
    for (size_t i = config->settings_n; i > 0; i--)
        if (strcmp(config->settings[i - 1].path, path) == 0)
            return &config->settings[i - 1];
    return NULL;
}

/* "queues" of "queues.mail.tries", whose members have names of their own; its length, or
 * 0.
 */
static size_t named_len(const char *path)
{
    size_t len = strcspn(path, ".");
    char group[16];

    if (!path[len] || len >= sizeof group)
        return 0;
    memcpy(group, path, len);
    group[len] = '\0';
    return er_config_is_named(group) ? len : 0;
}

/* The key of a concrete path: that of "queues.mail.tries" is "queues.*.tries". */
static const struct er_config_key *key_of(const char *path)
{
    const char *last = strrchr(path, '.');
    size_t len = named_len(path);
    char pattern[64];

    if (len > 0 && last > path + len && strlen(last) < 40) {
        snprintf(pattern, sizeof pattern, "%.*s.*%s", (int)len, path, last);
        return er_config_key_find(pattern);
    }
    return er_config_key_find(path);
}

const char *er_config_origin(const struct er_config *config, const char *path)
{
    const struct er_config_setting *said = setting_find(config, path);

    if (said)
        return said->origin;
    return key_of(path) ? "default" : NULL;
}

const char *er_config_value_text(const struct er_config *config, const char *path)
{
    const struct er_config_setting *said = setting_find(config, path);
    const struct er_config_key *key = key_of(path);

    if (said)
        return said->text;
    return key ? key->standard : NULL;
}

int er_config_list(const struct er_config *config, struct errand_arena *arena,
                   struct er_config_setting **ret, size_t *ret_n,
                   struct errand_error *err)
{
    size_t n = 0, max = er_config_keys_n + config->settings_n;
    struct er_config_setting *list = errand_arena_alloc(arena, max * sizeof *list);
    const char *done = ""; /* the last group whose members were listed */

    if (!list)
        return er_error_nomem(err);
    for (size_t i = 0; i < er_config_keys_n; i++) {
        const char *path = er_config_keys[i].path;
        size_t len = named_len(path);
        if (len == 0) {
            list[n++] =
                (struct er_config_setting){.path = path,
                                           .text = er_config_value_text(config, path),
                                           .origin = er_config_origin(config, path)};
            continue;
        }
        if (strncmp(done, path, len + 1) == 0)
            continue;
        for (size_t j = 0; j < config->settings_n; j++)
            if (strncmp(config->settings[j].path, path, len + 1) == 0)
                list[n++] = config->settings[j];
        done = path;
    }
    *ret = list;
    *ret_n = n;
    return 0;
}
