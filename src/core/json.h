/* json.h: is this JSON, and what stands at a path of it?
 *
 * The payload is stored as the bytes that came and never re-serialised. The check accepts
 * all that JSON.stringify writes (lone surrogate escapes, \u0000, any number), which
 * strict parsers refuse, and nothing that RFC 8259 forbids. */
#ifndef ER_CORE_JSON_H
#define ER_CORE_JSON_H

#include <stdbool.h>

#include "base/arena.h"
#include "errand/types.h"

struct er_json_limits {
    size_t max_bytes; /* 0: 1 MiB */
    int max_depth;    /* 0: 64 */
    size_t max_keys;  /* 0: 10,000, over all objects */
};

/* 0, or EJSON / ETOOBIG: "expected a value at line 1, column 8, found 'a'". `what` begins
 * the message: "data of 'send-email'". Columns count characters, from 1. */
int er_json_check(const char *what, struct errand_slice json,
                  const struct er_json_limits *limits, struct errand_error *err);

enum er_json_type {
    ER_JSON_NULL,
    ER_JSON_BOOL,
    ER_JSON_NUMBER,
    ER_JSON_STRING,
    ER_JSON_ARRAY,
    ER_JSON_OBJECT,
};
const char *er_json_type_name(enum er_json_type type);

/* The value at `path` ("a.b[0].c"; "" is the whole) as the bytes it was written with,
 * strings with their quotes. `json` has passed er_json_check. Duplicate keys: the last
 * wins. 0, or ENOTFOUND, or EINVAL for a bad path. */
int er_json_find(struct errand_slice json, const char *path, enum er_json_type *ret_type,
                 struct errand_slice *ret, struct errand_error *err);
/* 0, or EINVAL with the place. */
int er_json_path_check(const char *path, struct errand_error *err);

/* The whole value without the space around it. */
enum er_json_type er_json_whole(struct errand_slice json, struct errand_slice *ret);

/* Walks over the members of an object or the elements of an array (over nothing, when it
 * is neither), in the order they were written, duplicates included:
 *
 *     for (er_json_walk(&walk, object); er_json_next(&walk);) … */
struct er_json_walk {
    bool is_object;
    enum er_json_type type;
    struct errand_slice key; /* with its quotes; objects only */
    struct errand_slice value;
    const char *p, *end;
};
void er_json_walk(struct er_json_walk *walk, struct errand_slice container);
bool er_json_next(struct er_json_walk *walk);
/* Whether a JSON string (with its quotes) means these bytes. */
bool er_json_equal(struct errand_slice string, const char *text, size_t len);

/* json_agree.c: whether two values mean the same, whatever the order of keys, the space
 * and the way strings and numbers are written. Both have passed er_json_check. When not,
 * `why` says where: "'items[0].sku' is 7, not 8". */
bool er_json_agree(struct errand_slice got, struct errand_slice want,
                   struct errand_error *why);

/* The text of a JSON string (with its quotes), unescaped into the arena, NUL after it;
 * lone surrogates become U+FFFD. */
int er_json_unescape(struct errand_slice string, struct errand_arena *arena,
                     struct errand_slice *ret, struct errand_error *err);
/* Numbers, whatever the locale says about decimal points. -1 when it is not a number, or
 * (int) not a whole one that fits: 3, 3.0 and 3e2 are whole. Too large for a double:
 * infinity. */
int er_json_double(struct errand_slice number, double *ret);
int er_json_int(struct errand_slice number, int64_t *ret);

/* Replaces {path} by the value there (strings unescaped, all else as written):
 * "order:{orderId}". "{{" and "}}" are braces. 0, or EINVAL for a broken template or a
 * value with a NUL in it, or ENOTFOUND when the data has no such value. */
int er_template_expand(const char *template_text, struct errand_slice json,
                       struct errand_arena *arena, char **ret, struct errand_error *err);
/* 0 or EINVAL with the place: for load time, when no data is there yet. */
int er_template_check(const char *template_text, struct errand_error *err);
/* Does one that has passed the check take anything from the data? */
bool er_template_has_path(const char *template_text);

/* Appends `text` as a JSON string, escaped so that any bytes make valid UTF-8 JSON (bad
 * UTF-8 becomes U+FFFD). 0 or -1. */
struct er_buf;
int er_json_write_string(struct er_buf *buf, const char *text, size_t len);

#endif
