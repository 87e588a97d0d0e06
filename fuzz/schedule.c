/* schedule.c: a stored schedule that can be read is the same when it has been written and
 * read once more. */
#include "fuzz.h"

#include "core/json.h"
#include "core/schedule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errand_slice json = {.ptr = (const char *)data, .len = size};
    struct errand_arena *arena = er_arena_new();
    struct er_schedule schedule, again;
    struct er_buf first, second;

    er_buf_init(&first, 64 << 20);
    er_buf_init(&second, 64 << 20);
    if (er_schedule_decode(json, arena, &schedule, NULL) == 0) {
        MUST(er_schedule_encode(&schedule, &first) == 0);
        MUST(er_json_check("written", buf_slice(&first), NULL, NULL) == 0);
        MUST(er_schedule_decode(buf_slice(&first), arena, &again, NULL) == 0);
        MUST(er_schedule_encode(&again, &second) == 0);
        MUST(strcmp(first.ptr, second.ptr) == 0);
    }
    er_buf_done(&first);
    er_buf_done(&second);
    er_arena_free(arena);
    return 0;
}
