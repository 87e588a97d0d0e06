/* json_find.c: walking through JSON that has been checked, without building a tree.
 *
 * Nothing here trusts that the check was made: on other bytes the answers mean nothing,
 * but no byte outside the slice is read. */
#include "core/json.h"

#include <string.h>

const char *er_json_type_name(enum er_json_type type)
{
    switch (type) {
    case ER_JSON_NULL:
        return "null";
    case ER_JSON_BOOL:
        return "boolean";
    case ER_JSON_NUMBER:
        return "number";
    case ER_JSON_STRING:
        return "string";
    case ER_JSON_ARRAY:
        return "array";
    case ER_JSON_OBJECT:
        return "object";
    }
    return "?";
}

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

/* p at the opening quote; the byte behind the closing one, or end. */
static const char *skip_string(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        if (*p == '\\' && p + 1 < end)
            p++;
    return p < end ? p + 1 : end;
}

static const char *skip_container(const char *p, const char *end)
{
    size_t depth = 0;

    while (p < end) {
        if (*p == '"') {
            p = skip_string(p, end);
            continue;
        }
        if (*p == '{' || *p == '[')
            depth++;
        if (*p == '}' || *p == ']')
            depth--;
        p++;
        if (depth == 0)
            break;
    }
    return p;
}

static const char *skip_value(const char *p, const char *end)
{
    if (p == end)
        return end;
    if (*p == '"')
        return skip_string(p, end);
    if (*p == '{' || *p == '[')
        return skip_container(p, end);
    while (p < end && !memchr(",]} \n\r\t:", *p, 9))
        p++;
    return p;
}

static enum er_json_type type_of(struct errand_slice value)
{
    switch (value.len ? *value.ptr : 'n') {
    case '{':
        return ER_JSON_OBJECT;
    case '[':
        return ER_JSON_ARRAY;
    case '"':
        return ER_JSON_STRING;
    case 't':
    case 'f':
        return ER_JSON_BOOL;
    case 'n':
        return ER_JSON_NULL;
    default:
        return ER_JSON_NUMBER;
    }
}

static struct errand_slice between(const char *begin, const char *end)
{
    return (struct errand_slice){.ptr = begin, .len = (size_t)(end - begin)};
}

enum er_json_type er_json_whole(struct errand_slice json, struct errand_slice *ret)
{
    const char *end, *p;

    if (!json.len)
        json.ptr = "";
    end = json.ptr + json.len;
    p = skip_space(json.ptr, end);
    *ret = between(p, skip_value(p, end));
    return type_of(*ret);
}

void er_json_walk(struct er_json_walk *walk, struct errand_slice container)
{
    const char *end, *p;

    if (!container.len)
        container.ptr = "";
    end = container.ptr + container.len;
    p = skip_space(container.ptr, end);
    *walk = (struct er_json_walk){.p = end, .end = end};
    if (p < end && (*p == '{' || *p == '[')) {
        walk->is_object = *p == '{';
        walk->p = p + 1;
    }
}

bool er_json_next(struct er_json_walk *walk)
{
    const char *end = walk->end, *p = skip_space(walk->p, end);
    const char *begin;

    if (p < end && *p == ',')
        p = skip_space(p + 1, end);
    if (p == end || *p == '}' || *p == ']')
        return false;
    if (walk->is_object) {
        begin = p;
        p = *p == '"' ? skip_string(p, end) : p;
        walk->key = between(begin, p);
        p = skip_space(p, end);
        p = skip_space(p < end && *p == ':' ? p + 1 : p, end);
    }
    begin = p;
    walk->p = skip_value(p, end);
    walk->value = between(begin, walk->p);
    walk->type = type_of(walk->value);
    return walk->p > begin; /* a byte that begins nothing: not checked, the end */
}

/* One step of a path: a name, or an index when name is NULL. */
struct step {
    const char *name;
    size_t len, index;
};

static bool read_index(const char **path, size_t *ret)
{
    const char *p = *path;
    size_t index = 0;

    if (*p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (index > SIZE_MAX / 16)
            return false;
        index = index * 10 + (size_t)(*p - '0');
    }
    if (*p != ']')
        return false;
    *path = p + 1;
    *ret = index;
    return true;
}

/* Moves *path over its next step. False when the path is broken there. */
static bool next_step(const char **path, bool is_first, struct step *ret)
{
    const char *p = *path;

    *ret = (struct step){0};
    if (*p == '[') {
        *path = p + 1;
        return read_index(path, &ret->index);
    }
    if (!is_first && *p++ != '.')
        return false;
    ret->name = p;
    ret->len = strcspn(p, ".[");
    *path = p + ret->len;
    return ret->len > 0;
}

static bool step_into(const struct step *step, struct errand_slice json,
                      enum er_json_type *ret_type, struct errand_slice *ret)
{
    struct er_json_walk walk;
    bool is_found = false;
    size_t i = 0;

    er_json_walk(&walk, json);
    if (walk.is_object != (step->name != NULL))
        return false;
    while (er_json_next(&walk)) {
        if (step->name ? !er_json_equal(walk.key, step->name, step->len)
                       : i++ != step->index)
            continue;
        is_found = true;
        *ret_type = walk.type;
        *ret = walk.value;
        if (!step->name)
            break;
    }
    return is_found;
}

int er_json_path_check(const char *path, struct errand_error *err)
{
    struct step step;

    for (const char *p = path; *p;) {
        const char *begin = p;
        if (!next_step(&p, begin == path, &step))
            return errand_error_set(err, ERRAND_EINVAL,
                                    "path '%s' is broken at position %zu: names joined "
                                    "by '.', and [number] for arrays",
                                    path, (size_t)(begin - path) + 1);
    }
    return 0;
}

int er_json_find(struct errand_slice json, const char *path, enum er_json_type *ret_type,
                 struct errand_slice *ret, struct errand_error *err)
{
    struct errand_slice value;
    enum er_json_type type = er_json_whole(json, &value);
    int rc;

    if ((rc = er_json_path_check(path, err)) < 0)
        return rc;
    for (const char *p = path; *p;) {
        const char *begin = p;
        enum er_json_type outer = type;
        struct step step;
        next_step(&p, begin == path, &step);
        if (step_into(&step, value, &type, &value))
            continue;
        if (outer == (step.name ? ER_JSON_OBJECT : ER_JSON_ARRAY) || begin == path)
            return errand_error_set(err, ERRAND_ENOTFOUND, "there is no value at '%.*s'",
                                    (int)(p - path), path);
        return errand_error_set(
            err, ERRAND_ENOTFOUND, "there is no value at '%.*s': '%.*s' is of type %s",
            (int)(p - path), path, (int)(begin - path), path, er_json_type_name(outer));
    }
    *ret_type = type;
    *ret = value;
    return 0;
}
