/* json_text.c: any bytes can be written as a JSON string, good UTF-8 comes back as it
 * was, and any bytes between quotes can be read without harm. */
#include "fuzz.h"

#include "base/utf8.h"
#include "core/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct errand_arena *arena = er_arena_new();
    struct errand_slice back;
    struct er_buf buf;

    er_buf_init(&buf, 64 << 20);
    MUST(er_json_write_string(&buf, text, size) == 0);
    MUST(size > 1 << 17 || er_json_check("x", buf_slice(&buf), NULL, NULL) == 0);
    MUST(er_json_unescape(buf_slice(&buf), arena, &back, NULL) == 0);
    MUST(er_json_equal(buf_slice(&buf), back.ptr, back.len));
    MUST(er_utf8_check(back.ptr, back.len));
    if (er_utf8_check(text, size))
        MUST(back.len == size && memcmp(back.ptr, text, size) == 0);

    er_buf_reset(&buf);
    er_buf_str(&buf, "\"");
    er_buf_add(&buf, text, size);
    er_buf_str(&buf, "\"");
    MUST(er_json_unescape(buf_slice(&buf), arena, &back, NULL) == 0);
    MUST(back.len <= size && back.ptr[back.len] == '\0');
    MUST(er_json_equal(buf_slice(&buf), back.ptr, back.len));
    er_buf_done(&buf);
    er_arena_free(arena);
    return 0;
}
