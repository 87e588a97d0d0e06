/* small.c: times, durations, ids and names. What was read is written so that it is read
 * as the same.
 */
#include "fuzz.h"

#include "core/clock.h"
#include "core/id.h"
#include "core/name.h"

static void names(const char *text)
{
    char key[ER_NAME_MAX + 1], again[ER_NAME_MAX + 1];
    struct errand_id id, back;
    uint8_t bytes[16];

    er_name_key(text, key);
    MUST(strcmp(er_name_key(key, again), key) == 0);
    if (er_id_parse(text, &id, NULL) == 0)
        MUST(strcmp(id.text, text) == 0 && er_name_check("id", text, NULL) == 0);
    if (er_uuid_parse(text, bytes) == 0) {
        er_uuid_format(bytes, &back);
        MUST(strcmp(back.text, text) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errand_slice rest = {.ptr = (const char *)data, .len = size};
    struct errand_arena *arena = er_arena_new();
    const char *text = first_line(arena, &rest);
    int64_t ms, back;
    char buf[32];

    /* The years around 0 and 9999 have no four digits after an offset. */
    if (er_time_parse(text, &ms) == 0 && ms >= INT64_C(-62167219200000) &&
        ms < INT64_C(253402300800000)) {
        MUST(er_time_parse(er_time_format(ms, buf, sizeof buf), &back) == 0);
        MUST(back == ms);
    }
    if (er_duration_parse(text, &ms) == 0)
        MUST(ms >= 0);
    if (rest.len >= sizeof ms) {
        memcpy(&ms, rest.ptr, sizeof ms);
        MUST(strlen(er_time_format(ms, buf, sizeof buf)) < sizeof buf - 1);
    }
    names(text);
    er_arena_free(arena);
    return 0;
}
