/* json_same.c: do two JSON texts mean the same?
 *
 * The order of keys, the space between them, and how a string is escaped or a number
 * written make no difference. Both texts have passed er_json_check, which bounds their
 * depth. A look-up of each key in the other object costs the product of their sizes: good
 * enough for a test, and for nothing that is called once a job. */
#include "core/json.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"

enum { PATH_MAX_BYTES = 4096, SHOWN_MAX = 200 };

struct compare {
    struct errand_arena *arena;
    struct er_buf path; /* where we are, as er_json_find takes it */
    struct errand_error *why;
};

static int same_value(struct compare *c, struct errand_slice got,
                      struct errand_slice want);

/* ------------------------------------------------------------------ saying why */

static int shown(struct errand_slice value)
{
    return value.len < SHOWN_MAX ? (int)value.len : SHOWN_MAX;
}

static void no(struct compare *c, struct errand_slice got, struct errand_slice want)
{
    const char *path = c->path.len ? c->path.ptr : "";

    errand_error_set(c->why, ERRAND_EINVAL, "%s%s%sis %.*s%s, not %.*s%s",
                     *path ? "'" : "", path, *path ? "' " : "it ", shown(got), got.ptr,
                     got.len > SHOWN_MAX ? "…" : "", shown(want), want.ptr,
                     want.len > SHOWN_MAX ? "…" : "");
}

static void no_key(struct compare *c, struct errand_slice key, bool is_missing)
{
    const char *path = c->path.len ? c->path.ptr : "";

    errand_error_set(c->why, ERRAND_EINVAL, "%s%s%s%s %.*s", *path ? "'" : "it", path,
                     *path ? "'" : "",
                     is_missing ? " has no key" : " must not have the key", shown(key),
                     key.ptr);
}

/* ------------------------------------------------------------------ values */

static bool same_number(struct errand_slice a, struct errand_slice b)
{
    int64_t x, y;
    double p, q;

    if (er_json_int(a, &x) == 0 && er_json_int(b, &y) == 0)
        return x == y;
    return er_json_double(a, &p) == 0 && er_json_double(b, &q) == 0 && isfinite(p) &&
           p == q;
}

/* 1 or 0, or -1 without memory. */
static int same_string(struct compare *c, struct errand_slice a, struct errand_slice b)
{
    struct errand_slice text;

    if (er_json_unescape(a, c->arena, &text, c->why) < 0)
        return -1;
    return er_json_equal(b, text.ptr, text.len);
}

/* The value of the last member with this key: 1, 0 for none, -1 without memory. */
static int member(struct compare *c, struct errand_slice object, struct errand_slice key,
                  struct errand_slice *ret)
{
    struct er_json_walk walk;
    struct errand_slice text;
    int found = 0;

    if (er_json_unescape(key, c->arena, &text, c->why) < 0)
        return -1;
    for (er_json_walk(&walk, object); er_json_next(&walk);)
        if (er_json_equal(walk.key, text.ptr, text.len)) {
            *ret = walk.value;
            found = 1;
        }
    return found;
}

static size_t enter(struct compare *c, struct errand_slice key, size_t index)
{
    size_t len = c->path.len;

    if (key.len >= 2)
        er_buf_printf(&c->path, "%s%.*s", len ? "." : "", (int)key.len - 2, key.ptr + 1);
    else
        er_buf_printf(&c->path, "[%zu]", index);
    return len;
}

static void leave(struct compare *c, size_t len)
{
    c->path.len = len;
    if (c->path.ptr)
        c->path.ptr[len] = '\0';
}

static int same_object(struct compare *c, struct errand_slice got,
                       struct errand_slice want)
{
    struct errand_slice a, b;
    struct er_json_walk walk;
    int same;

    for (er_json_walk(&walk, want); er_json_next(&walk);) {
        size_t len;
        /* of keys written twice the last counts, on both sides */
        if ((same = member(c, want, walk.key, &b)) < 0 ||
            (same = member(c, got, walk.key, &a)) < 0)
            return same;
        if (!same) {
            no_key(c, walk.key, true);
            return 0;
        }
        len = enter(c, walk.key, 0);
        if ((same = same_value(c, a, b)) != 1)
            return same;
        leave(c, len);
    }
    for (er_json_walk(&walk, got); er_json_next(&walk);) {
        if ((same = member(c, want, walk.key, &b)) < 0)
            return same;
        if (!same) {
            no_key(c, walk.key, false);
            return 0;
        }
    }
    return 1;
}

static int same_array(struct compare *c, struct errand_slice got,
                      struct errand_slice want)
{
    struct er_json_walk a, b;
    bool more_a, more_b;

    er_json_walk(&a, got);
    er_json_walk(&b, want);
    for (size_t i = 0;; i++) {
        size_t len;
        int same;
        more_a = er_json_next(&a);
        more_b = er_json_next(&b);
        if (!more_a || !more_b)
            break;
        len = enter(c, (struct errand_slice){0}, i);
        if ((same = same_value(c, a.value, b.value)) != 1)
            return same;
        leave(c, len);
    }
    if (more_a == more_b)
        return 1;
    no(c, got, want);
    return 0;
}

static int same_value(struct compare *c, struct errand_slice got,
                      struct errand_slice want)
{
    struct errand_slice a, b;
    enum er_json_type type = er_json_whole(got, &a);
    int same = type == er_json_whole(want, &b);

    if (same)
        switch (type) {
        case ER_JSON_OBJECT:
            return same_object(c, a, b);
        case ER_JSON_ARRAY:
            return same_array(c, a, b);
        case ER_JSON_STRING:
            same = same_string(c, a, b);
            break;
        case ER_JSON_NUMBER:
            same =
                same_number(a, b) || (a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0);
            break;
        case ER_JSON_NULL:
        case ER_JSON_BOOL:
            same = a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
            break;
        }
    if (same == 0)
        no(c, a, b);
    return same;
}

bool er_json_same(struct errand_slice got, struct errand_slice want,
                  struct errand_error *why)
{
    struct compare c = {.arena = er_arena_new(), .why = why};
    int same;

    if (!c.arena) {
        er_error_nomem(why);
        return false;
    }
    er_buf_init(&c.path, PATH_MAX_BYTES);
    same = same_value(&c, got, want);
    er_buf_done(&c.path);
    er_arena_free(c.arena);
    return same == 1;
}
