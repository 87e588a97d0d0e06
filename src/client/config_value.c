/* config_value.c: how the text of a configuration becomes a value in its place. */
#include "client/config_parts.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "client/notify.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/name.h"
#include "core/size.h"
#include "store/store.h"

static bool whole_parse(const char *text, int64_t *ret)
{
    const char *digits = text[0] == '-' ? text + 1 : text;
    char *end;

    if (digits[0] < '0' || digits[0] > '9')
        return false;
    errno = 0;
    *ret = strtoll(text, &end, 10);
    return *end == '\0' && errno == 0;
}

/* One value on its way to its place. */
struct saying {
    struct er_config *config;
    const struct er_config_key *key;
    const char *path;
    const struct er_config_place *place;
    struct er_config_member of;
    void *target;
};

static int out_of_range(const struct saying *s, const char *text, const char *what,
                        struct errand_error *err)
{
    return er_config_error(s->place, err, "%s: '%s' is not %s from %.15g to %.15g",
                           s->path, text, what, s->key->min, s->key->max);
}

static int set_whole(const struct saying *s, const char *text, struct errand_error *err)
{
    int64_t n;

    if (!whole_parse(text, &n) || (double)n < s->key->min || (double)n > s->key->max)
        return out_of_range(s, text, "a whole number", err);
    /* What may be wide has room for it. */
    if (s->key->max > INT32_MAX)
        *(int64_t *)s->target = n;
    else
        *(int *)s->target = (int)n;
    return 0;
}

static int set_time(const struct saying *s, const char *text, struct errand_error *err)
{
    int64_t ms;

    if (er_duration_parse(text, &ms) < 0)
        return er_config_error(s->place, err,
                               "%s: '%s' is not a time; write 90, 1.5s, 10m, 2h or 1d",
                               s->path, text);
    if ((double)ms < s->key->min * 1000 || (double)ms > s->key->max * 1000)
        return out_of_range(s, text, "a time in seconds", err);
    if (s->key->kind == ER_CONFIG_SECONDS)
        *(double *)s->target = (double)ms / 1000;
    else
        *(int64_t *)s->target = ms;
    return 0;
}

static int set_share(const struct saying *s, const char *text, struct errand_error *err)
{
    double share = 0;

    if (er_json_double((struct errand_slice){text, strlen(text)}, &share) < 0 ||
        share < s->key->min || share > s->key->max)
        return out_of_range(s, text, "a share", err);
    *(double *)s->target = share;
    return 0;
}

static int set_size(const struct saying *s, const char *text, struct errand_error *err)
{
    bool is_mib = s->key->kind == ER_CONFIG_MIB;
    int64_t unit = is_mib ? 1 << 20 : 1, bytes, n;

    if (er_size_parse(text, unit, &bytes) < 0)
        return er_config_error(s->place, err,
                               "%s: '%s' is not a size; write 512KiB, 64MiB or 1GiB",
                               s->path, text);
    n = bytes / unit;
    if ((double)n < s->key->min || (double)n > s->key->max)
        return out_of_range(s, text, is_mib ? "a size in MiB" : "a size in bytes", err);
    if (is_mib)
        *(int64_t *)s->target = n;
    else
        *(size_t *)s->target = (size_t)bytes;
    return 0;
}

static int set_bool(const struct saying *s, const char *text, struct errand_error *err)
{
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return er_config_error(s->place, err, "%s: '%s' is neither true nor false",
                               s->path, text);
    *(bool *)s->target = text[0] == 't';
    return 0;
}

static int set_keep(const struct saying *s, const char *text, struct errand_error *err)
{
    int64_t *keep = s->target, n;

    if (strcmp(text, "none") == 0 || strcmp(text, "0") == 0)
        *keep = ERRAND_KEEP_NONE;
    else if (strcmp(text, "all") == 0)
        *keep = ERRAND_KEEP_ALL;
    else if (s->key->kind == ER_CONFIG_KEEP_AGE)
        return set_time(s, text, err);
    else if (whole_parse(text, &n) && n > 0)
        *keep = n;
    else
        return er_config_error(s->place, err, "%s: '%s' is not a number, none or all",
                               s->path, text);
    return 0;
}

static int set_durable(const struct saying *s, const char *text, struct errand_error *err)
{
    if (strcmp(text, "normal") != 0 && strcmp(text, "full") != 0)
        return er_config_error(s->place, err, "%s: '%s' is neither normal nor full",
                               s->path, text);
    *(enum errand_durable *)s->target =
        text[0] == 'f' ? ERRAND_DURABLE_FULL : ERRAND_DURABLE_NORMAL;
    return 0;
}

static int set_text(const struct saying *s, const char *text, struct errand_error *err)
{
    struct errand_error inner = {0};

    if (!text[0])
        return er_config_error(s->place, err, "%s is empty", s->path);
    if (s->key->kind == ER_CONFIG_TEXT && er_name_check(s->path, text, &inner) < 0)
        return er_config_error(s->place, err, "%s", inner.message);
    *(const char **)s->target = text;
    return 0;
}

/* "all" alone is the table's word for no list at all. */
static int set_list(const struct saying *s, const struct er_config_value *value,
                    struct errand_error *err)
{
    bool is_all = value->items_n == 1 && strcmp(value->items[0], "all") == 0;

    if (value->items_n == 0 &&
        s->key->offset == offsetof(struct er_config, worker.queues))
        return er_config_error(s->place, err, "%s is an empty list; leave it out for all",
                               s->path);
    for (size_t i = 0; i < value->items_n; i++)
        if (!value->items[i][0])
            return er_config_error(s->place, err, "%s: item %zu is empty", s->path,
                                   i + 1);
        else if (s->key->offset == offsetof(struct er_config, worker.queues) &&
                 er_name_check("queue", value->items[i], NULL) < 0)
            return er_config_error(s->place, err, "%s: '%s' is not the name of a queue",
                                   s->path, value->items[i]);
    *(const char *const **)s->target = is_all ? NULL : value->items;
    return 0;
}

static int set_schedule(const struct saying *s, struct er_schedule *schedule,
                        const char *text, struct errand_error *err)
{
    struct errand_error inner = {0};

    if (er_schedule_set(schedule, strrchr(s->path, '.') + 1, text, s->config->arena,
                        &inner) == 0)
        return 0;
    return er_config_error(s->place, err, "%s: %s", s->path, inner.message);
}

static int set_option(const struct saying *s, struct er_options *options,
                      const char *text, struct errand_error *err)
{
    struct errand_error inner = {0};

    if (er_options_set(options, strrchr(s->path, '.') + 1, text, s->config->arena,
                       &inner) == 0)
        return 0;
    return er_config_error(s->place, err, "%s: %s", s->path, inner.message);
}

static int set_scalar(const struct saying *s, const char *text, struct errand_error *err)
{
    switch (s->key->kind) {
    case ER_CONFIG_INT:
        return set_whole(s, text, err);
    case ER_CONFIG_SECONDS:
    case ER_CONFIG_MS:
        return set_time(s, text, err);
    case ER_CONFIG_SHARE:
        return set_share(s, text, err);
    case ER_CONFIG_SIZE:
    case ER_CONFIG_MIB:
        return set_size(s, text, err);
    case ER_CONFIG_BOOL:
        return set_bool(s, text, err);
    case ER_CONFIG_KEEP_AGE:
    case ER_CONFIG_KEEP_COUNT:
        return set_keep(s, text, err);
    case ER_CONFIG_DURABLE:
        return set_durable(s, text, err);
    case ER_CONFIG_TEXT:
    case ER_CONFIG_URL:
    case ER_CONFIG_PATH:
        return set_text(s, text, err);
    case ER_CONFIG_OPTION:
        return set_option(s, s->of.queue ? &s->of.queue->options : &s->config->defaults,
                          text, err);
    case ER_CONFIG_SCHEDULE:
        return set_schedule(s, &s->of.schedule->schedule, text, err);
    case ER_CONFIG_WEIGHT:
        return set_whole(s, text, err);
    case ER_CONFIG_LIST:
    case ER_CONFIG_NOTIFY:
        break;
    }
    return errand_error_set(err, ERRAND_EINTERNAL, "%s has no scalar", s->path);
}

/* A list where the option takes one (backoff) travels as text with commas. */
static char *join(struct errand_arena *arena, const struct er_config_value *value)
{
    char *text = er_arena_printf(arena, "%s", value->items_n ? value->items[0] : "");

    for (size_t i = 1; text && i < value->items_n; i++)
        text = er_arena_printf(arena, "%s,%s", text, value->items[i]);
    return text;
}

static bool takes_list(const struct er_config_key *key)
{
    return key->kind == ER_CONFIG_LIST || strstr(key->type, "list") != NULL;
}

static int put(const struct saying *s, const struct er_config_value *value,
               const char *text, struct errand_error *err)
{
    if (s->key->kind == ER_CONFIG_LIST)
        return set_list(s, value, err);
    if (s->key->kind == ER_CONFIG_NOTIFY)
        return er_notify_set(s->config, strchr(s->path, '.') + 1, value, s->place, err);
    return set_scalar(s, text, err);
}

static int remember(struct er_config *config, const char *path, const char *text,
                    const struct er_config_place *place, struct errand_error *err)
{
    size_t n = config->settings_n;
    struct er_config_setting *setting;

    if ((n & (n - 1)) == 0) { /* full at every power of two */
        struct er_config_setting *more =
            errand_arena_alloc(config->arena, (n ? 2 * n : 1) * sizeof *more);
        if (!more)
            return er_error_nomem(err);
        if (n)
            memcpy(more, config->settings, n * sizeof *more);
        config->settings = more;
    }
    setting = &config->settings[config->settings_n];
    setting->path = er_arena_printf(config->arena, "%s", path);
    setting->text = text;
    setting->origin =
        place->file ? er_arena_printf(config->arena, "%s:%zu", place->label, place->line)
                    : er_arena_printf(config->arena, "%s", place->label);
    if (!setting->path || !setting->text || !setting->origin)
        return er_error_nomem(err);
    config->settings_n++;
    return 0;
}

int er_config_say(struct er_config *config, const struct er_config_key *key,
                  const char *path, const struct er_config_member *of,
                  const struct er_config_value *value,
                  const struct er_config_place *place, struct errand_error *err)
{
    struct saying s = {.config = config, .key = key, .path = path, .place = place};
    const char *text = join(config->arena, value);
    int rc;

    if (!text)
        return er_error_nomem(err);
    if (of)
        s.of = *of;
    if (value->is_list && !takes_list(key))
        return er_config_error(place, err, "%s wants %s, found a list", path, key->type);
    s.target = key->kind == ER_CONFIG_WEIGHT ? (void *)&s.of.queue->weight
                                             : (void *)((char *)config + key->offset);
    if ((rc = put(&s, value, text, err)) < 0)
        return rc;
    if (key->kind == ER_CONFIG_URL)
        text = er_url_shown(text, config->arena);
    else if (key->kind == ER_CONFIG_NOTIFY)
        text = er_notify_shown(strchr(path, '.') + 1, text);
    return remember(config, path, text, place, err);
}
