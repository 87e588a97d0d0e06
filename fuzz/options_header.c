/* options_header.c: the first lines of any file. Options that were found are allowed and
 * survive the store; a broken line is told with its place. */
#include "fuzz.h"

#include "core/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errand_slice text = {.ptr = (const char *)data, .len = size};
    struct errand_arena *arena = er_arena_new();
    struct er_options options = {0}, back;
    struct errand_error err = {0};
    struct er_buf buf;
    int rc = er_options_from_header(text, arena, &options, &err);

    er_buf_init(&buf, 64 << 20);
    MUST(rc == 0 || rc == 1 || rc == ERRAND_EINVAL);
    if (rc < 0)
        MUST(strncmp(err.message, "line ", 5) == 0);
    if (rc == 1) {
        MUST(er_options_check(&options, NULL) == 0);
        MUST(er_options_encode(&options, &buf) == 0);
        MUST(er_options_decode(buf_slice(&buf), arena, &back, NULL) == 0);
    }
    er_buf_done(&buf);
    er_arena_free(arena);
    return 0;
}
