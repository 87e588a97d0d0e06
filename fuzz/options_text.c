/* options_text.c: lines "name=value" set one option after the other. What could be set is
 * allowed by itself, and survives the store when all of it is allowed together. */
#include "fuzz.h"

#include "core/options.h"

static void through_the_store(const struct er_options *options,
                              struct errand_arena *arena)
{
    struct er_options back;
    struct er_buf buf;

    er_buf_init(&buf, 64 << 20);
    MUST(er_options_encode(options, &buf) == 0);
    MUST(er_options_decode(buf_slice(&buf), arena, &back, NULL) == 0);
    MUST(back.has == options->has);
    er_buf_done(&buf);
}

/* A value that was refused has changed nothing. */
static void must_be_same(const struct er_options *a, const struct er_options *b)
{
    struct er_buf buf_a, buf_b;

    er_buf_init(&buf_a, 64 << 20);
    er_buf_init(&buf_b, 64 << 20);
    MUST(er_options_encode(a, &buf_a) == 0 && er_options_encode(b, &buf_b) == 0);
    MUST(strcmp(buf_a.ptr, buf_b.ptr) == 0);
    er_buf_done(&buf_a);
    er_buf_done(&buf_b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errand_slice rest = {.ptr = (const char *)data, .len = size};
    struct errand_arena *arena = er_arena_new();
    struct er_options options = {0};

    while (rest.len > 0) {
        const char *line = first_line(arena, &rest), *equals = strchr(line, '=');
        struct er_options before = options;
        struct errand_error err = {0};
        char *name;
        int rc;

        if (!equals)
            continue;
        name = errand_arena_copy(arena, line, (size_t)(equals - line));
        rc = er_options_set(&options, name, equals + 1, arena, &err);
        if (rc < 0) {
            MUST(err.message[0]);
            must_be_same(&before, &options);
        }
    }
    if (er_options_check(&options, NULL) == 0)
        through_the_store(&options, arena);
    er_arena_free(arena);
    return 0;
}
