/* template.c: a template on the first line, data behind it. A template that load time
 * accepts is never broken later, and one that it refuses never makes a key. */
#include "fuzz.h"

#include "core/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errand_arena *arena = er_arena_new();
    struct errand_slice json = {.ptr = (const char *)data, .len = size};
    const char *text = first_line(arena, &json);
    struct errand_error err = {0};
    char *key = NULL;
    int checked = er_template_check(text, NULL);
    int rc = er_template_expand(text, json, arena, &key, &err);

    MUST(checked == 0 || checked == ERRAND_EINVAL);
    MUST((rc == 0) == (key != NULL));
    if (checked < 0)
        MUST(rc < 0);
    if (checked == 0 && er_json_check("x", json, NULL, NULL) == 0)
        MUST(rc == 0 || rc == ERRAND_ENOTFOUND || rc == ERRAND_ETOOBIG ||
             strstr(err.message, "has a NUL in it"));
    er_arena_free(arena);
    return 0;
}
