/* values.c: between members of C structs and JavaScript values, by one table each. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "addon.h"

enum { SAFE_BITS = 53 };

/* ------------------------------------------------------------------ reading */

static const char *type_name(napi_env env, napi_value value)
{
    static const char *const names[] = {
        "undefined", "null",      "a boolean",  "a number",    "a string",
        "a symbol",  "an object", "a function", "an external", "a bigint"};
    napi_valuetype type = napi_undefined;
    bool is_array = false;

    napi_typeof(env, value, &type);
    napi_is_array(env, value, &is_array);
    if (is_array)
        return "an array";
    return (size_t)type < sizeof names / sizeof *names ? names[type] : "something else";
}

static int wrong(napi_env env, napi_value value, const char *what, const char *wanted,
                 struct errand_error *err)
{
    return errand_error_set(err, ERRAND_EINVAL, "%s is %s, not %s", what, wanted,
                            type_name(env, value));
}

static bool is_type(napi_env env, napi_value value, napi_valuetype wanted)
{
    napi_valuetype type = napi_undefined;

    return napi_typeof(env, value, &type) == napi_ok && type == wanted;
}

static bool is_said(napi_env env, napi_value value)
{
    return !is_type(env, value, napi_undefined) && !is_type(env, value, napi_null);
}

static int read_bytes(napi_env env, napi_value value, const char *what,
                      struct errand_slice *ret, struct en_bag *bag,
                      struct errand_error *err)
{
    size_t len = 0;
    char *text;

    if (!is_type(env, value, napi_string))
        return wrong(env, value, what, "a string", err);
    if (napi_get_value_string_utf8(env, value, NULL, 0, &len) != napi_ok)
        return en_failed(err);
    if (!(text = en_bag_alloc(bag, len + 1)))
        return en_nomem(err);
    if (napi_get_value_string_utf8(env, value, text, len + 1, &len) != napi_ok)
        return en_failed(err);
    *ret = (struct errand_slice){text, len};
    return 0;
}

int en_read_text(napi_env env, napi_value value, const char *what, const char **ret,
                 struct en_bag *bag, struct errand_error *err)
{
    struct errand_slice text;
    int rc = read_bytes(env, value, what, &text, bag, err);

    if (rc < 0)
        return rc;
    if (memchr(text.ptr, '\0', text.len))
        return errand_error_set(err, ERRAND_EINVAL, "%s has a NUL in it", what);
    *ret = text.ptr;
    return 0;
}

int en_read_number(napi_env env, napi_value value, const char *what, double *ret,
                   struct errand_error *err)
{
    if (!is_type(env, value, napi_number))
        return wrong(env, value, what, "a number", err);
    return napi_get_value_double(env, value, ret) == napi_ok ? 0 : en_failed(err);
}

static int read_whole(napi_env env, napi_value value, const char *what, double least,
                      double most, int64_t *ret, struct errand_error *err)
{
    double number;
    int rc = en_read_number(env, value, what, &number, err);

    if (rc < 0)
        return rc;
    if (!(number >= least && number <= most) || number != floor(number))
        return errand_error_set(err, ERRAND_EINVAL,
                                "%s is a whole number from %.0f to %.0f, not %g", what,
                                least, most, number);
    *ret = (int64_t)number;
    return 0;
}

int en_read_id(napi_env env, napi_value value, const char *what, struct errand_id *ret,
               struct errand_error *err)
{
    size_t len = 0;

    if (!is_type(env, value, napi_string))
        return wrong(env, value, what, "a string", err);
    if (napi_get_value_string_utf8(env, value, NULL, 0, &len) != napi_ok)
        return en_failed(err);
    if (len > ERRAND_ID_MAX)
        return errand_error_set(err, ERRAND_EINVAL, "%s has %zu bytes, %d are allowed",
                                what, len, ERRAND_ID_MAX);
    napi_get_value_string_utf8(env, value, ret->text, sizeof ret->text, &len);
    return 0;
}

static int read_word(napi_env env, napi_value value, const char *what,
                     const struct en_field *f, int *ret, struct en_bag *bag,
                     struct errand_error *err)
{
    char all[256] = "";
    const char *word;
    size_t used = 0;
    int rc = en_read_text(env, value, what, &word, bag, err);

    if (rc < 0)
        return rc;
    for (int i = 0; f->words[i]; i++) {
        if (strcmp(f->words[i], word) == 0) {
            *ret = i;
            return 0;
        }
        if (used < sizeof all)
            used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "",
                                     f->words[i]);
    }
    return errand_error_set(err, ERRAND_EINVAL, "%s is one of %s, not '%.64s'", what, all,
                            word);
}

static int array_length(napi_env env, napi_value value, const char *what, uint32_t *ret,
                        struct errand_error *err)
{
    bool is_array = false;

    if (napi_is_array(env, value, &is_array) != napi_ok || !is_array)
        return wrong(env, value, what, "an array", err);
    return napi_get_array_length(env, value, ret) == napi_ok ? 0 : en_failed(err);
}

static int read_texts(napi_env env, napi_value value, const char *what,
                      const char *const **ret, struct en_bag *bag,
                      struct errand_error *err)
{
    const char **list;
    uint32_t n = 0;
    int rc = array_length(env, value, what, &n, err);

    if (rc < 0)
        return rc;
    if (!(list = en_bag_alloc(bag, (n + 1) * sizeof *list)))
        return en_nomem(err);
    for (uint32_t i = 0; rc == 0 && i < n; i++) {
        napi_value element;
        char name[128];

        snprintf(name, sizeof name, "%.100s[%u]", what, i);
        if (napi_get_element(env, value, i, &element) != napi_ok)
            return en_failed(err);
        rc = en_read_text(env, element, name, &list[i], bag, err);
    }
    *ret = list;
    return rc;
}

static int read_numbers(napi_env env, napi_value value, const char *what, double *ret,
                        size_t *ret_n, struct errand_error *err)
{
    uint32_t n = 0;
    int rc = array_length(env, value, what, &n, err);

    if (rc == 0 && n > ERRAND_BACKOFF_LIST_MAX)
        return errand_error_set(err, ERRAND_EINVAL, "%s has %u numbers, %d are allowed",
                                what, n, ERRAND_BACKOFF_LIST_MAX);
    for (uint32_t i = 0; rc == 0 && i < n; i++) {
        napi_value element;
        char name[128];

        snprintf(name, sizeof name, "%.100s[%u]", what, i);
        if (napi_get_element(env, value, i, &element) != napi_ok)
            return en_failed(err);
        rc = en_read_number(env, element, name, &ret[i], err);
    }
    *ret_n = n;
    return rc;
}

static int read_bool(napi_env env, napi_value value, const char *what, bool *ret,
                     struct errand_error *err)
{
    if (napi_get_value_bool(env, value, ret) != napi_ok)
        return wrong(env, value, what, "true or false", err);
    return 0;
}

static int read_scalar(napi_env env, napi_value value, const char *what,
                       const struct en_field *f, char *at, struct en_bag *bag,
                       struct errand_error *err)
{
    const double big = ldexp(1, SAFE_BITS);
    int64_t whole = 0;
    int rc;

    switch (f->kind) {
    case EN_INT:
    case EN_INT32:
        if ((rc = read_whole(env, value, what, INT32_MIN, INT32_MAX, &whole, err)) == 0)
            *(int32_t *)(void *)at = (int32_t)whole;
        return rc;
    case EN_INT64:
        return read_whole(env, value, what, -big, big, (int64_t *)(void *)at, err);
    case EN_SIZE:
        if ((rc = read_whole(env, value, what, 0, big, &whole, err)) == 0)
            *(size_t *)(void *)at = (size_t)whole;
        return rc;
    case EN_DOUBLE:
        return en_read_number(env, value, what, (double *)(void *)at, err);
    case EN_BOOL:
        return read_bool(env, value, what, (bool *)at, err);
    case EN_WORD:
        return read_word(env, value, what, f, (int *)(void *)at, bag, err);
    default:
        return errand_error_set(err, ERRAND_EINTERNAL, "%s cannot be read", what);
    }
}

static int read_field(napi_env env, napi_value value, const char *what,
                      const struct en_field *f, char *into, struct en_bag *bag,
                      struct errand_error *err)
{
    char *at = into + f->offset;

    switch (f->kind) {
    case EN_TEXT:
        return en_read_text(env, value, what, (const char **)(void *)at, bag, err);
    case EN_JSON:
        return read_bytes(env, value, what, (struct errand_slice *)(void *)at, bag, err);
    case EN_ID:
        return en_read_id(env, value, what, (struct errand_id *)(void *)at, err);
    case EN_TEXTS:
        return read_texts(env, value, what, (const char *const **)(void *)at, bag, err);
    case EN_NUMBERS:
        return read_numbers(env, value, what, (double *)(void *)at,
                            (size_t *)(void *)(into + f->count), err);
    case EN_STRUCT:
        return en_read(env, value, what, f->fields, at, bag, err);
    case EN_POINTER:
        if (!(*(void **)(void *)at = en_bag_alloc(bag, f->size)))
            return en_nomem(err);
        return en_read(env, value, what, f->fields, *(void **)(void *)at, bag, err);
    case EN_LIST:
        return en_read_list(env, value, what, f->fields, f->size, (void **)(void *)at,
                            (size_t *)(void *)(into + f->count), bag, err);
    default:
        return read_scalar(env, value, what, f, at, bag, err);
    }
}

static const struct en_field *field_find(const struct en_field *fields, const char *name)
{
    for (; fields->name; fields++)
        if (strcmp(fields->name, name) == 0)
            return fields;
    return NULL;
}

static int read_member(napi_env env, napi_value object, napi_value key, const char *what,
                       const struct en_field *fields, void *into, struct en_bag *bag,
                       struct errand_error *err)
{
    const struct en_field *f;
    napi_value value;
    const char *name;
    char place[128];
    int rc;

    if (napi_get_property(env, object, key, &value) != napi_ok)
        return en_failed(err);
    if (!is_said(env, value))
        return 0;
    if ((rc = en_read_text(env, key, what, &name, bag, err)) < 0)
        return rc;
    if (!(f = field_find(fields, name)))
        return errand_error_set(err, ERRAND_EINVAL, "%s: there is no '%.64s' here", what,
                                name);
    snprintf(place, sizeof place, "%.60s.%.60s", what, name);
    return read_field(env, value, place, f, into, bag, err);
}

int en_read(napi_env env, napi_value value, const char *what,
            const struct en_field *fields, void *into, struct en_bag *bag,
            struct errand_error *err)
{
    napi_value keys;
    uint32_t n = 0;
    int rc = 0;

    if (!is_said(env, value))
        return 0;
    if (!is_type(env, value, napi_object))
        return wrong(env, value, what, "an object", err);
    if (napi_get_property_names(env, value, &keys) != napi_ok ||
        napi_get_array_length(env, keys, &n) != napi_ok)
        return en_failed(err);
    for (uint32_t i = 0; rc == 0 && i < n; i++) {
        napi_value key;

        if (napi_get_element(env, keys, i, &key) != napi_ok)
            return en_failed(err);
        rc = read_member(env, value, key, what, fields, into, bag, err);
    }
    return rc;
}

int en_read_list(napi_env env, napi_value value, const char *what,
                 const struct en_field *fields, size_t size, void **ret, size_t *ret_n,
                 struct en_bag *bag, struct errand_error *err)
{
    uint32_t n = 0;
    char *list;
    int rc = array_length(env, value, what, &n, err);

    if (rc < 0)
        return rc;
    if (!(list = en_bag_alloc(bag, (n + 1) * size)))
        return en_nomem(err);
    for (uint32_t i = 0; rc == 0 && i < n; i++) {
        napi_handle_scope scope;
        napi_value element;
        char place[128];

        snprintf(place, sizeof place, "%.100s[%u]", what, i);
        napi_open_handle_scope(env, &scope);
        if (napi_get_element(env, value, i, &element) != napi_ok)
            rc = en_failed(err);
        else
            rc = en_read(env, element, place, fields, list + i * size, bag, err);
        napi_close_handle_scope(env, scope);
    }
    *ret = list;
    *ret_n = n;
    return rc;
}

/* ------------------------------------------------------------------ making */

napi_value en_undefined(napi_env env)
{
    napi_value value = NULL;

    napi_get_undefined(env, &value);
    return value;
}

napi_value en_null(napi_env env)
{
    napi_value value = NULL;

    napi_get_null(env, &value);
    return value;
}

napi_value en_bool(napi_env env, bool is_true)
{
    napi_value value = NULL;

    napi_get_boolean(env, is_true, &value);
    return value;
}

napi_value en_number(napi_env env, double number)
{
    napi_value value = NULL;

    napi_create_double(env, number, &value);
    return value;
}

napi_value en_slice(napi_env env, struct errand_slice text)
{
    napi_value value = NULL;

    napi_create_string_utf8(env, text.ptr ? text.ptr : "", text.len, &value);
    return value;
}

napi_value en_text(napi_env env, const char *text)
{
    return text ? en_slice(env, errand_text(text)) : en_null(env);
}

static napi_value texts_value(napi_env env, const char *const *list)
{
    napi_value array = NULL;

    napi_create_array(env, &array);
    for (uint32_t i = 0; list && list[i]; i++)
        napi_set_element(env, array, i, en_text(env, list[i]));
    return array;
}

static napi_value list_value(napi_env env, const struct en_field *f, const char *from)
{
    const char *list = *(const char *const *)(const void *)(from + f->offset);
    size_t n = *(const size_t *)(const void *)(from + f->count);
    napi_value array = NULL;

    napi_create_array_with_length(env, n, &array);
    for (uint32_t i = 0; i < n; i++) {
        napi_handle_scope scope;

        napi_open_handle_scope(env, &scope);
        napi_set_element(env, array, i, en_object(env, f->fields, list + i * f->size));
        napi_close_handle_scope(env, scope);
    }
    return array;
}

/* A number that this addon has no word for is shown as it is. */
static napi_value word_value(napi_env env, const struct en_field *f, int number)
{
    int i = 0;

    while (f->words[i] && i != number)
        i++;
    return f->words[i] ? en_text(env, f->words[i]) : en_number(env, number);
}

static napi_value scalar_value(napi_env env, const struct en_field *f, const void *at)
{
    switch (f->kind) {
    case EN_INT:
        return en_number(env, *(const int *)at);
    case EN_INT32:
        return en_number(env, *(const int32_t *)at);
    case EN_INT64:
        return en_number(env, (double)*(const int64_t *)at);
    case EN_SIZE:
        return en_number(env, (double)*(const size_t *)at);
    case EN_DOUBLE:
        return en_number(env, *(const double *)at);
    case EN_BOOL:
        return en_bool(env, *(const bool *)at);
    case EN_WORD:
        return word_value(env, f, *(const int *)at);
    default:
        return en_undefined(env);
    }
}

static napi_value field_value(napi_env env, const struct en_field *f, const char *from)
{
    const void *at = from + f->offset;

    switch (f->kind) {
    case EN_TEXT:
        return en_text(env, *(const char *const *)at);
    case EN_JSON:
        return en_slice(env, *(const struct errand_slice *)at);
    case EN_ID:
        return en_text(env, ((const struct errand_id *)at)->text);
    case EN_TEXTS:
        return texts_value(env, *(const char *const *const *)at);
    case EN_STRUCT:
        return en_object(env, f->fields, at);
    case EN_LIST:
        return list_value(env, f, from);
    default:
        return scalar_value(env, f, at);
    }
}

napi_value en_object(napi_env env, const struct en_field *fields, const void *from)
{
    napi_value object = NULL;

    napi_create_object(env, &object);
    for (const struct en_field *f = fields; f->name; f++)
        napi_set_named_property(env, object, f->name, field_value(env, f, from));
    return object;
}
