/* json_find.c: a path on the first line, JSON behind it. What is found lies inside the
 * document and is JSON of the type it is said to be. Bytes that are no JSON do no harm.
 */
#include "fuzz.h"

#include "core/json.h"

static void found(struct errand_slice json, enum er_json_type type,
                  struct errand_slice value)
{
    struct errand_slice same;
    double number = 0;
    int64_t whole = 0;

    MUST(value.ptr >= json.ptr && value.ptr + value.len <= json.ptr + json.len);
    MUST(er_json_check("found", value, NULL, NULL) == 0);
    MUST(er_json_whole(value, &same) == type);
    MUST(same.ptr == value.ptr && same.len == value.len);
    if (type != ER_JSON_NUMBER) {
        MUST(er_json_double(value, &number) < 0 && er_json_int(value, &whole) < 0);
        return;
    }
    MUST(value.len >= 512 || er_json_double(value, &number) == 0);
    if (er_json_int(value, &whole) == 0)
        MUST((double)whole == number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errand_arena *arena = er_arena_new();
    struct errand_slice json = {.ptr = (const char *)data, .len = size}, value;
    const char *path = first_line(arena, &json);
    int is_path = er_json_path_check(path, NULL) == 0;
    enum er_json_type type;
    int rc = er_json_find(json, path, &type, &value, NULL);

    MUST(rc == 0 || rc == ERRAND_ENOTFOUND || rc == ERRAND_EINVAL);
    MUST(is_path == (rc != ERRAND_EINVAL));
    if (rc == 0 && er_json_check("x", json, NULL, NULL) == 0)
        found(json, type, value);
    er_arena_free(arena);
    return 0;
}
