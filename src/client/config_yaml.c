/* config_yaml.c: errand.yml, event by event.
 *
 * What a configuration does not need is refused, not ignored: anchors and aliases (a few
 * lines of them can unfold to gigabytes), explicit tags, a second document. */
#include "client/config_parts.h"

#include <string.h>

#include <yaml.h>

#include "base/error.h"

enum { ITEMS_MAX = 1000, GROUPS_MAX = 8 };

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the one that was read last */
    struct er_config *config;
    struct errand_slice text;
    const char *file;
    const char *groups[GROUPS_MAX]; /* that were opened; queues know their own */
    size_t groups_n;
};

/* Where in the table the reader stands. */
struct level {
    const char *pattern, *path; /* "queues.*", "queues.mail"; "" at the top */
    struct er_config_member of;
};

static struct er_config_place place_of(const struct reader *r, const yaml_mark_t *mark)
{
    const char *slash = strrchr(r->file, '/');

    return (struct er_config_place){.label = slash ? slash + 1 : r->file,
                                    .file = r->file,
                                    .line = mark->line + 1,
                                    .column = mark->column + 1};
}

static bool is_tab_indented(const struct reader *r, size_t line)
{
    const char *at = r->text.ptr, *end = at + r->text.len;

    while (at && at < end && --line > 0)
        if ((at = memchr(at, '\n', (size_t)(end - at))))
            at++;
    while (at && at < end && *at == ' ')
        at++;
    return at && at < end && *at == '\t';
}

static int fail_syntax(struct reader *r, struct errand_error *err)
{
    const yaml_parser_t *p = &r->parser;
    struct er_config_place place = place_of(r, &p->problem_mark);

    if (p->error == YAML_MEMORY_ERROR)
        return er_error_nomem(err);
    if (p->error == YAML_READER_ERROR)
        return errand_error_set(err, ERRAND_EINVAL, "%s: byte %zu: %s", r->file,
                                p->problem_offset, p->problem);
    /* What somebody meets who writes "url: memory:". */
    if (strstr(p->problem, "mapping values are not allowed"))
        return er_config_error(
            &place, err,
            "a ':' stands where none can; a value that ends in one, or "
            "has one before a blank, goes in quotes");
    if (strstr(p->problem, "cannot start any token") && is_tab_indented(r, place.line))
        return er_config_error(&place, err, "a tab cannot indent in YAML; write spaces");
    /* Of a cron line, most likely. */
    if ((p->context && strstr(p->context, "alias")) ||
        (strstr(p->problem, "cannot start any token") && p->problem_mark.column > 0))
        return er_config_error(
            &place, err,
            "a value that begins with *, & or @ goes in quotes, such as "
            "\"*/5 * * * *\" or \"@daily\"");
    return er_config_error(&place, err, "%s%s%s", p->problem, p->context ? " " : "",
                           p->context ? p->context : "");
}

static int refuse_extras(struct reader *r, struct errand_error *err)
{
    const yaml_event_t *e = &r->event;
    struct er_config_place place = place_of(r, &e->start_mark);
    const yaml_char_t *anchor = NULL, *tag = NULL;

    if (e->type == YAML_ALIAS_EVENT)
        return er_config_error(&place, err, "aliases (*%s) are not read here",
                               (const char *)e->data.alias.anchor);
    if (e->type == YAML_SCALAR_EVENT) {
        anchor = e->data.scalar.anchor;
        tag = e->data.scalar.tag;
    } else if (e->type == YAML_SEQUENCE_START_EVENT) {
        anchor = e->data.sequence_start.anchor;
        tag = e->data.sequence_start.tag;
    } else if (e->type == YAML_MAPPING_START_EVENT) {
        anchor = e->data.mapping_start.anchor;
        tag = e->data.mapping_start.tag;
    }
    if (anchor)
        return er_config_error(&place, err, "anchors (&%s) are not read here",
                               (const char *)anchor);
    if (tag)
        return er_config_error(&place, err, "tags (%s) are not read here",
                               (const char *)tag);
    return 0;
}

static int next(struct reader *r, struct errand_error *err)
{
    yaml_event_delete(&r->event);
    if (!yaml_parser_parse(&r->parser, &r->event))
        return fail_syntax(r, err);
    return refuse_extras(r, err);
}

static int skip(struct reader *r, int n, struct errand_error *err)
{
    int rc = 0;

    while (rc == 0 && n-- > 0)
        rc = next(r, err);
    return rc;
}

/* The scalar as a string of the configuration's arena. */
static int scalar_dup(struct reader *r, char **ret, struct errand_error *err)
{
    const yaml_event_t *e = &r->event;
    struct er_config_place place = place_of(r, &e->start_mark);
    const char *text = (const char *)e->data.scalar.value;

    if (strlen(text) != e->data.scalar.length)
        return er_config_error(&place, err, "a NUL stands in the text");
    *ret = errand_arena_copy(r->config->arena, text, e->data.scalar.length);
    return *ret ? 0 : er_error_nomem(err);
}

/* "key:" with nothing behind it. */
static bool is_nothing(const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value;

    return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (!text[0] || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

static int read_items(struct reader *r, const char *path, struct er_config_value *value,
                      struct errand_error *err)
{
    const char **items =
        errand_arena_alloc(r->config->arena, (ITEMS_MAX + 1) * sizeof *items);
    char *item = NULL;
    int rc;

    if (!items)
        return er_error_nomem(err);
    *value = (struct er_config_value){.items = items, .is_list = true};
    for (;;) {
        if ((rc = next(r, err)) < 0)
            return rc;
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            return 0;
        struct er_config_place place = place_of(r, &r->event.start_mark);
        if (r->event.type != YAML_SCALAR_EVENT)
            return er_config_error(&place, err, "%s: an item is not a plain value", path);
        if (value->items_n == ITEMS_MAX)
            return er_config_error(&place, err, "%s: more than %d items", path,
                                   ITEMS_MAX);
        if ((rc = scalar_dup(r, &item, err)) < 0)
            return rc;
        items[value->items_n++] = item;
    }
}

static int said_before(const struct reader *r, const char *path,
                       const struct er_config_place *place, struct errand_error *err)
{
    for (size_t i = 0; i < r->config->settings_n; i++)
        if (strcmp(r->config->settings[i].path, path) == 0)
            return er_config_error(place, err, "%s stands here twice, first at %s", path,
                                   r->config->settings[i].origin);
    return 0;
}

/* The value of a key that takes one; r->event is its first event. */
static int read_value(struct reader *r, const struct er_config_key *key, const char *path,
                      const struct er_config_member *of, struct errand_error *err)
{
    struct er_config_place place = place_of(r, &r->event.start_mark);
    struct er_config_value value = {0};
    const char *one[2] = {NULL, NULL};
    char *text;
    int rc;

    if (r->event.type == YAML_MAPPING_START_EVENT)
        return er_config_error(&place, err, "%s wants %s, found keys", path, key->type);
    if (r->event.type == YAML_SEQUENCE_START_EVENT) {
        if ((rc = read_items(r, path, &value, err)) < 0)
            return rc;
        return er_config_say(r->config, key, path, of, &value, &place, err);
    }
    if (is_nothing(&r->event))
        return er_config_error(&place, err, "%s has no value; it wants %s", path,
                               key->type);
    if ((rc = scalar_dup(r, &text, err)) < 0)
        return rc;
    one[0] = text;
    value = (struct er_config_value){.items = one, .items_n = 1};
    if (key->kind == ER_CONFIG_LIST) { /* its items are kept */
        value.items = errand_arena_alloc(r->config->arena, sizeof one);
        if (!value.items)
            return er_error_nomem(err);
        memcpy((void *)value.items, one, sizeof one);
    }
    return er_config_say(r->config, key, path, of, &value, &place, err);
}

static int group_once(struct reader *r, const char *path,
                      const struct er_config_place *place, struct errand_error *err)
{
    for (size_t i = 0; i < r->groups_n; i++)
        if (strcmp(r->groups[i], path) == 0)
            return er_config_error(place, err, "%s stands here twice", path);
    if (r->groups_n < GROUPS_MAX)
        r->groups[r->groups_n++] = path;
    return 0;
}

static int read_mapping(struct reader *r, const struct level *level,
                        struct errand_error *err);

/* r->event is the first event of what stands behind the name of a group. */
static int read_group(struct reader *r, const struct level *level,
                      struct errand_error *err)
{
    struct er_config_place place = place_of(r, &r->event.start_mark);

    if (r->event.type == YAML_SCALAR_EVENT && is_nothing(&r->event))
        return 0;
    if (r->event.type != YAML_MAPPING_START_EVENT)
        return er_config_error(&place, err, "%s wants keys on indented lines below it",
                               level->path);
    return read_mapping(r, level, err);
}

static int member_add(struct reader *r, const struct level *group, const char *name,
                      const struct er_config_place *place, struct er_config_member *ret,
                      struct errand_error *err)
{
    if (strcmp(group->pattern, "queues") == 0)
        return er_config_queue_add(r->config, name, place, &ret->queue, err);
    return er_config_schedule_add(r->config, name, place, &ret->schedule, err);
}

static int read_entry(struct reader *r, const struct level *level, const char *name,
                      const struct er_config_place *place, struct errand_error *err)
{
    struct errand_arena *arena = r->config->arena;
    const char *dot = level->path[0] ? "." : "";
    bool is_named = er_config_is_named(level->pattern);
    struct level below = {.of = level->of};
    const struct er_config_key *key;
    int rc;

    below.path = er_arena_printf(arena, "%s%s%s", level->path, dot, name);
    below.pattern =
        er_arena_printf(arena, "%s%s%s", level->pattern, dot, is_named ? "*" : name);
    if (!below.path || !below.pattern)
        return er_error_nomem(err);
    if (is_named && (rc = member_add(r, level, name, place, &below.of, err)) < 0)
        return rc;
    if ((key = er_config_key_find(below.pattern))) {
        if ((rc = said_before(r, below.path, place, err)) < 0 || (rc = next(r, err)) < 0)
            return rc;
        return read_value(r, key, below.path, &below.of, err);
    }
    if (!er_config_is_group(below.pattern))
        return er_config_unknown(place, level->pattern, level->path, name, err);
    if (!is_named && (rc = group_once(r, below.path, place, err)) < 0)
        return rc;
    if ((rc = next(r, err)) < 0)
        return rc;
    return read_group(r, &below, err);
}

/* Up to and with the end of the mapping that has begun. The depth is that of the table.
 */
static int read_mapping(struct reader *r, const struct level *level,
                        struct errand_error *err)
{
    char *name;
    int rc;

    for (;;) {
        if ((rc = next(r, err)) < 0)
            return rc;
        if (r->event.type == YAML_MAPPING_END_EVENT)
            return 0;
        struct er_config_place place = place_of(r, &r->event.start_mark);
        if (r->event.type != YAML_SCALAR_EVENT)
            return er_config_error(&place, err, "a key is not a plain word");
        if ((rc = scalar_dup(r, &name, err)) < 0 ||
            (rc = read_entry(r, level, name, &place, err)) < 0)
            return rc;
    }
}

static int read_stream(struct reader *r, struct errand_error *err)
{
    const struct level top = {.pattern = "", .path = ""};
    struct er_config_place place;
    int rc;

    if ((rc = skip(r, 2, err)) < 0) /* stream start, document */
        return rc;
    if (r->event.type == YAML_STREAM_END_EVENT) /* nothing, or comments alone */
        return 0;
    if ((rc = next(r, err)) < 0)
        return rc;
    place = place_of(r, &r->event.start_mark);
    if (r->event.type == YAML_MAPPING_START_EVENT)
        rc = read_mapping(r, &top, err);
    else if (r->event.type != YAML_SCALAR_EVENT || !is_nothing(&r->event))
        rc = er_config_error(&place, err,
                             "expected keys, such as 'url: sqlite:errand.db'");
    if (rc < 0 || (rc = skip(r, 2, err)) < 0) /* document end, and what follows it */
        return rc;
    place = place_of(r, &r->event.start_mark);
    if (r->event.type != YAML_STREAM_END_EVENT)
        return er_config_error(&place, err, "a second document starts here; one is read");
    return 0;
}

int er_config_read_yaml(struct er_config *config, struct errand_slice text,
                        const char *file, struct errand_error *err)
{
    struct reader r = {.config = config, .text = text, .file = file};
    int rc;

    if (!yaml_parser_initialize(&r.parser))
        return er_error_nomem(err);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.ptr, text.len);
    rc = read_stream(&r, err);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return rc;
}
