/* json_check.c: what is JSON, beside jansson's opinion.
 *
 * All that jansson accepts is accepted (but a NUL behind a number, which it does not
 * see). What it refuses and we accept is one of the things JSON.stringify writes: half a
 * surrogate pair, a NUL in a name, a number too large for C, or deep nesting. A document
 * that was taken apart by walking and put together again means the same. */
#include "fuzz.h"

#include <jansson.h>

#include "core/json.h"

enum { FLAGS = JSON_DECODE_ANY | JSON_ALLOW_NUL };

static void write_again(struct errand_slice json, struct errand_arena *arena,
                        struct er_buf *ret)
{
    struct errand_slice value, text;
    enum er_json_type type = er_json_whole(json, &value);
    struct er_json_walk walk;
    size_t n = 0;

    if (type == ER_JSON_STRING) {
        MUST(er_json_unescape(value, arena, &text, NULL) == 0);
        MUST(er_json_equal(value, text.ptr, text.len));
        er_json_write_string(ret, text.ptr, text.len);
    }
    if (type < ER_JSON_STRING)
        er_buf_add(ret, value.ptr, value.len);
    if (type <= ER_JSON_STRING)
        return;
    er_buf_str(ret, type == ER_JSON_OBJECT ? "{" : "[");
    for (er_json_walk(&walk, value); er_json_next(&walk);) {
        if (n++)
            er_buf_str(ret, ",");
        if (walk.is_object) {
            write_again(walk.key, arena, ret);
            er_buf_str(ret, ":");
        }
        write_again(walk.value, arena, ret);
    }
    er_buf_str(ret, type == ER_JSON_OBJECT ? "}" : "]");
}

static void compare_again(struct errand_slice json, const json_t *meant)
{
    struct errand_arena *arena = er_arena_new();
    struct er_buf again;
    json_t *back;

    er_buf_init(&again, 64 << 20);
    write_again(json, arena, &again);
    MUST(!again.has_failed);
    MUST(er_json_check("again", buf_slice(&again), NULL, NULL) == 0);
    if (meant) {
        MUST(back = json_loadb(again.ptr, again.len, FLAGS, NULL));
        MUST(json_equal(back, meant));
        json_decref(back);
    }
    er_buf_done(&again);
    er_arena_free(arena);
}

/* Does it hold an escape that jansson refuses? Any \u of a surrogate or NUL may be. */
static bool has_odd_escape(const char *p, size_t len)
{
    for (size_t i = 0; i + 4 < len; i++)
        if (p[i] == '\\' && p[i + 1] == 'u' &&
            (p[i + 2] == 'd' || p[i + 2] == 'D' || p[i + 2] == '0'))
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errand_slice json = {.ptr = (const char *)data, .len = size};
    struct errand_error err = {0};
    json_error_t error;
    json_t *meant = json_loadb(json.ptr, json.len, FLAGS, &error);
    bool has_nul = size > 0 && memchr(data, '\0', size);
    int rc = er_json_check("x", json, NULL, &err);

    MUST(rc == 0 || rc == ERRAND_EJSON || rc == ERRAND_ETOOBIG);
    MUST((rc == 0) == (err.message[0] == '\0'));
    if (meant)
        MUST(rc == 0 || rc == ERRAND_ETOOBIG || has_nul);
    else if (rc == 0)
        MUST(json_error_code(&error) == json_error_numeric_overflow ||
             json_error_code(&error) == json_error_stack_overflow ||
             has_odd_escape(json.ptr, json.len));
    if (rc == 0)
        compare_again(json, meant);
    json_decref(meant);
    return 0;
}
