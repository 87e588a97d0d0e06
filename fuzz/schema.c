/* schema.c: a line that may be a schema, then data. What is read as a schema judges all
 * data without a fault, always in the same way, and a value is what a schema with that
 * value as its constant wants. */
#include "fuzz.h"

#include "core/json.h"
#include "core/schema.h"

static void same(struct errand_arena *arena, struct errand_slice data)
{
    const struct er_schema *schema;
    struct er_buf text;

    er_buf_init(&text, 1 << 20);
    er_buf_str(&text, "{\"const\":");
    er_buf_add(&text, data.ptr, data.len);
    er_buf_str(&text, "}");
    if (er_schema_compile(buf_slice(&text), arena, &schema, NULL) == 0)
        MUST(er_schema_validate(schema, "data", data, NULL) == 0);
    er_buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct er_json_limits limits = {0};
    struct errand_slice rest = {.ptr = (const char *)data, .len = size};
    struct errand_arena *arena = er_arena_new();
    const char *line = first_line(arena, &rest);
    const struct er_schema *schema;
    struct errand_error err = {0};
    int first, again;

    if (er_json_check("data", rest, &limits, NULL) == 0) {
        if (er_schema_compile((struct errand_slice){line, strlen(line)}, arena, &schema,
                              &err) == 0) {
            first = er_schema_validate(schema, "data", rest, &err);
            again = er_schema_validate(schema, "data", rest, NULL);
            MUST(first == again && (first == 0 || err.message[0]));
        }
        same(arena, rest);
    }
    er_arena_free(arena);
    return 0;
}
