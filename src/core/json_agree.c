/* json_agree.c: where do two JSON texts that should mean the same differ?
 *
 * er_json_same decides about texts and numbers; here the walk remembers where it is. Both
 * texts have passed er_json_check, which bounds their depth. A look-up of each key in the
 * other object costs the product of their sizes: good enough for a test, and for nothing
 * that is called once a job. */
#include "core/json.h"

#include "base/buf.h"
#include "core/schema_inside.h"

enum { PATH_MAX_BYTES = 4096, SHOWN_MAX = 200 };

struct compare {
    struct er_buf path; /* where we are, as er_json_find takes it */
    struct errand_error *why;
};

static bool agree(struct compare *c, struct errand_slice got, struct errand_slice want);

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

static bool agree_object(struct compare *c, struct errand_slice got,
                         struct errand_slice want)
{
    struct errand_slice a, b;
    struct er_json_walk walk;

    for (er_json_walk(&walk, want); er_json_next(&walk);) {
        size_t len;
        if (!er_json_member(got, walk.key, &a)) {
            no_key(c, walk.key, true);
            return false;
        }
        er_json_member(want, walk.key, &b);
        len = enter(c, walk.key, 0);
        if (!agree(c, a, b))
            return false;
        leave(c, len);
    }
    for (er_json_walk(&walk, got); er_json_next(&walk);)
        if (!er_json_member(want, walk.key, &b)) {
            no_key(c, walk.key, false);
            return false;
        }
    return true;
}

static bool agree_array(struct compare *c, struct errand_slice got,
                        struct errand_slice want)
{
    struct er_json_walk a, b;

    er_json_walk(&a, got);
    er_json_walk(&b, want);
    for (size_t i = 0;; i++) {
        bool more_a = er_json_next(&a), more_b = er_json_next(&b);
        size_t len;
        if (more_a != more_b)
            no(c, got, want);
        if (!more_a || !more_b)
            return more_a == more_b;
        len = enter(c, (struct errand_slice){0}, i);
        if (!agree(c, a.value, b.value))
            return false;
        leave(c, len);
    }
}

static bool agree(struct compare *c, struct errand_slice got, struct errand_slice want)
{
    struct errand_slice a, b;
    enum er_json_type type = er_json_whole(got, &a);
    bool is_of_type = type == er_json_whole(want, &b);

    if (is_of_type && type == ER_JSON_OBJECT)
        return agree_object(c, a, b);
    if (is_of_type && type == ER_JSON_ARRAY)
        return agree_array(c, a, b);
    if (is_of_type && er_json_same(a, b))
        return true;
    no(c, a, b);
    return false;
}

bool er_json_agree(struct errand_slice got, struct errand_slice want,
                   struct errand_error *why)
{
    struct compare c = {.why = why};
    bool does;

    er_buf_init(&c.path, PATH_MAX_BYTES);
    does = agree(&c, got, want);
    er_buf_done(&c.path);
    return does;
}
