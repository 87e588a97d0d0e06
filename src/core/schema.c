/* schema.c: reading a schema into nodes, and refusing what is not understood. */
#include "core/schema.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "core/schema_inside.h"

enum { PLACE_MAX = 200 };

const char *const er_schema_type_names[] = {"null",   "boolean", "integer", "number",
                                            "string", "array",   "object"};

/* What is being read; `place` is the way to it: "properties.to". */
struct reader {
    struct errand_arena *arena;
    struct errand_error *err;
    size_t place_len;
    char place[PLACE_MAX];
};

static int read_schema(struct reader *r, struct errand_slice json, enum er_json_type type,
                       const struct er_schema **ret);

static int wrong(struct reader *r, const char *what, const char *how)
{
    return errand_error_set(r->err, ERRAND_EINVAL, "schema: %s%s'%s' %s", r->place,
                            r->place_len ? ": " : "", what, how);
}

/* Adds a step to the place; what does not fit is cut. Returns the length before. */
static size_t enter(struct reader *r, const char *step, size_t len)
{
    size_t before = r->place_len;
    int n = snprintf(r->place + before, sizeof r->place - before, "%s%.*s",
                     before ? "." : "", (int)len, step);

    r->place_len += (size_t)n;
    if (r->place_len >= sizeof r->place)
        r->place_len = sizeof r->place - 1;
    return before;
}

static void leave(struct reader *r, size_t before)
{
    r->place_len = before;
    r->place[before] = '\0';
}

/* ------------------------------------------------------------------ the keys */

struct key {
    const char *name;
    int (*read)(struct reader *r, const struct key *key, struct errand_slice json,
                enum er_json_type type, struct er_schema *s);
    size_t offset;
};

static int type_bit(struct errand_slice name)
{
    for (int i = 0; i < ER_SCHEMA_TYPES_N; i++)
        if (er_json_equal(name, er_schema_type_names[i], strlen(er_schema_type_names[i])))
            return 1 << i;
    return 0;
}

static int add_type(struct reader *r, struct errand_slice name, enum er_json_type type,
                    struct er_schema *s)
{
    int bit = type == ER_JSON_STRING ? type_bit(name) : 0;

    if (!bit)
        return wrong(
            r, "type",
            "is not one of null, boolean, integer, number, string, array, object "
            "or an array of them");
    s->types |= (uint32_t)bit;
    return 0;
}

static int read_type(struct reader *r, const struct key *key, struct errand_slice json,
                     enum er_json_type type, struct er_schema *s)
{
    struct er_json_walk w;
    int rc = 0;

    (void)key;
    s->types = 0;
    if (type != ER_JSON_ARRAY)
        return add_type(r, json, type, s);
    for (er_json_walk(&w, json); rc == 0 && er_json_next(&w);)
        rc = add_type(r, w.value, w.type, s);
    return rc == 0 && !s->types ? wrong(r, "type", "is an empty array") : rc;
}

static int read_const(struct reader *r, const struct key *key, struct errand_slice json,
                      enum er_json_type type, struct er_schema *s)
{
    (void)r;
    (void)key;
    (void)type;
    s->has_const = true;
    s->constant = json;
    return 0;
}

static int read_enum(struct reader *r, const struct key *key, struct errand_slice json,
                     enum er_json_type type, struct er_schema *s)
{
    struct er_json_walk w;

    (void)key;
    er_json_walk(&w, json);
    if (type != ER_JSON_ARRAY || !er_json_next(&w))
        return wrong(r, "enum", "is not an array of at least one value");
    s->choices = json;
    return 0;
}

static int property_new(struct reader *r, struct errand_slice quoted,
                        struct er_schema_property ***end)
{
    struct er_schema_property *p = errand_arena_alloc(r->arena, sizeof *p);
    int rc;

    if (!p)
        return er_error_nomem(r->err);
    *p = (struct er_schema_property){0};
    if ((rc = er_json_unescape(quoted, r->arena, &p->name, r->err)) < 0)
        return rc;
    **end = p;
    *end = &p->next;
    return 0;
}

static int read_properties(struct reader *r, const struct key *key,
                           struct errand_slice json, enum er_json_type type,
                           struct er_schema *s)
{
    struct er_schema_property **end = &s->properties;
    struct er_json_walk w;
    int rc = 0;

    (void)key;
    s->properties = NULL;
    if (type != ER_JSON_OBJECT)
        return wrong(r, "properties", "is not an object");
    for (er_json_walk(&w, json); rc == 0 && er_json_next(&w);) {
        struct er_schema_property **at = end;
        size_t before;

        if ((rc = property_new(r, w.key, &end)) < 0)
            return rc;
        before = enter(r, "properties", strlen("properties"));
        enter(r, (*at)->name.ptr, (*at)->name.len);
        rc = read_schema(r, w.value, w.type, &(*at)->schema);
        leave(r, before);
    }
    return rc;
}

static int read_required(struct reader *r, const struct key *key,
                         struct errand_slice json, enum er_json_type type,
                         struct er_schema *s)
{
    struct er_schema_property **end = &s->required;
    struct er_json_walk w;
    int rc = 0;

    (void)key;
    s->required = NULL;
    if (type != ER_JSON_ARRAY)
        return wrong(r, "required", "is not an array of names");
    for (er_json_walk(&w, json); rc == 0 && er_json_next(&w);)
        rc = w.type == ER_JSON_STRING ? property_new(r, w.value, &end)
                                      : wrong(r, "required", "is not an array of names");
    return rc;
}

static int read_others(struct reader *r, const struct key *key, struct errand_slice json,
                       enum er_json_type type, struct er_schema *s)
{
    size_t before;
    int rc;

    (void)key;
    s->is_closed = type == ER_JSON_BOOL && json.len == 5; /* false */
    s->others = NULL;
    if (type == ER_JSON_BOOL)
        return 0;
    before = enter(r, "additionalProperties", strlen("additionalProperties"));
    rc = read_schema(r, json, type, &s->others);
    leave(r, before);
    return rc;
}

static int read_items(struct reader *r, const struct key *key, struct errand_slice json,
                      enum er_json_type type, struct er_schema *s)
{
    size_t before = enter(r, "items", strlen("items"));
    int rc = read_schema(r, json, type, &s->items);

    (void)key;
    leave(r, before);
    return rc;
}

static int read_bound(struct reader *r, const struct key *key, struct errand_slice json,
                      enum er_json_type type, struct er_schema *s)
{
    if (type != ER_JSON_NUMBER)
        return wrong(r, key->name, "is not a number");
    *(struct errand_slice *)((char *)s + key->offset) = json;
    return 0;
}

static int read_count(struct reader *r, const struct key *key, struct errand_slice json,
                      enum er_json_type type, struct er_schema *s)
{
    int64_t *n = (int64_t *)((char *)s + key->offset);

    if (type != ER_JSON_NUMBER || er_json_int(json, n) < 0 || *n < 0)
        return wrong(r, key->name, "is not a whole number from 0 on");
    return 0;
}

#define AT(member) offsetof(struct er_schema, member)
static const struct key keys[] = {
    {"type", read_type, 0},
    {"enum", read_enum, 0},
    {"const", read_const, 0},
    {"properties", read_properties, 0},
    {"required", read_required, 0},
    {"additionalProperties", read_others, 0},
    {"items", read_items, 0},
    {"minimum", read_bound, AT(minimum)},
    {"maximum", read_bound, AT(maximum)},
    {"minLength", read_count, AT(min_length)},
    {"maxLength", read_count, AT(max_length)},
    {"minItems", read_count, AT(min_items)},
    {"maxItems", read_count, AT(max_items)},
};
enum { KEYS_N = sizeof keys / sizeof *keys };

/* ------------------------------------------------------------------ a schema */

static int unknown(struct reader *r, struct errand_slice quoted)
{
    char how[256] = "is not supported; supported are", name[48];
    size_t used = strlen(how), len = quoted.len - 2 < 40 ? quoted.len - 2 : 40;

    for (size_t i = 0; i < KEYS_N; i++)
        used += (size_t)snprintf(how + used, sizeof how - used, "%s %s", i ? "," : "",
                                 keys[i].name);
    snprintf(name, sizeof name, "%.*s", (int)len, quoted.ptr + 1);
    return wrong(r, name, how);
}

static int read_key(struct reader *r, const struct er_json_walk *w, struct er_schema *s)
{
    for (size_t i = 0; i < KEYS_N; i++)
        if (er_json_equal(w->key, keys[i].name, strlen(keys[i].name)))
            return keys[i].read(r, &keys[i], w->value, w->type, s);
    return unknown(r, w->key);
}

static int check_order(struct reader *r, const struct er_schema *s)
{
    if (s->minimum.len && s->maximum.len && er_json_compare(s->minimum, s->maximum) > 0)
        return wrong(r, "minimum", "is over 'maximum'");
    if (s->max_length >= 0 && s->min_length > s->max_length)
        return wrong(r, "minLength", "is over 'maxLength'");
    if (s->max_items >= 0 && s->min_items > s->max_items)
        return wrong(r, "minItems", "is over 'maxItems'");
    return 0;
}

static int read_schema(struct reader *r, struct errand_slice json, enum er_json_type type,
                       const struct er_schema **ret)
{
    struct er_schema *s;
    struct er_json_walk w;
    int rc = 0;

    if (type != ER_JSON_OBJECT)
        return errand_error_set(r->err, ERRAND_EINVAL, "schema: %s is %s, not an object",
                                r->place_len ? r->place : "it", er_json_type_name(type));
    if (!(s = errand_arena_alloc(r->arena, sizeof *s)))
        return er_error_nomem(r->err);
    *s = (struct er_schema){.max_length = -1, .max_items = -1};
    for (er_json_walk(&w, json); rc == 0 && er_json_next(&w);)
        rc = read_key(r, &w, s);
    if (rc == 0 && (rc = check_order(r, s)) == 0)
        *ret = s;
    return rc;
}

int er_schema_compile(struct errand_slice text, struct errand_arena *arena,
                      const struct er_schema **ret, struct errand_error *err)
{
    /* Its depth in JSON bounds every recursion below, here and in the validator. */
    static const struct er_json_limits limits = {.max_bytes = ER_SCHEMA_BYTES_MAX,
                                                 .max_depth = ER_SCHEMA_DEPTH_MAX};
    struct reader r = {.arena = arena, .err = err};
    enum er_json_type type;
    int rc;

    if ((rc = er_json_check("schema", text, &limits, err)) < 0)
        return rc;
    type = er_json_whole(text, &text);
    return read_schema(&r, text, type, ret);
}

int er_schema_text_check(struct errand_slice text, struct errand_error *err)
{
    struct errand_arena *arena = er_arena_new();
    const struct er_schema *schema;
    int rc = arena ? er_schema_compile(text, arena, &schema, err) : er_error_nomem(err);

    er_arena_free(arena);
    return rc;
}
