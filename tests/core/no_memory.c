/* no_memory.c: memory runs out at every place where it could. The library reports it,
 * changes nothing and leaks nothing. */
#include "claims.h"

#include "base/arena.h"
#include "base/buf.h"
#include "core/json.h"
#include "core/options.h"
#include "core/schema.h"
#include "core/zone.h"
#include "support/failing_malloc.h"

static volatile bool is_out;

static bool allocation_fails(void)
{
    return is_out;
}

static bool can_run_out(void)
{
    void *volatile p[3];
    bool is_ours;

    is_out = true;
    p[0] = malloc(1);
    p[1] = calloc(1, 1);
    p[2] = realloc(NULL, 1);
    is_out = false;
    is_ours = !p[0] && !p[1] && !p[2];
    for (size_t i = 0; i < 3; i++)
        free(p[i]);
    return is_ours;
}

typedef int attempt_fn(struct errand_arena *arena, struct errand_error *err);

/* The first block of an arena has 4,096 bytes. Filled more and more beforehand, it ends
 * at every allocation in turn. */
static void run_out_everywhere(attempt_fn *attempt)
{
    size_t works = 0, fails = 0;

    if (!can_run_out())
        skip();
    for (size_t fill = 0; fill <= 4096; fill += 16) {
        struct errand_arena *arena = er_arena_new();
        struct errand_error err = {0};
        int rc;
        assert_non_null(errand_arena_alloc(arena, fill));
        is_out = true;
        rc = attempt(arena, &err);
        is_out = false;
        if (rc != 0)
            assert_error(rc, err, ERRAND_ENOMEM, "out of memory");
        *(rc == 0 ? &works : &fails) += 1;
        er_arena_free(arena);
    }
    assert_true(works > 0);
    assert_true(fails > 0);
}

static int decode(struct errand_arena *arena, struct errand_error *err)
{
    struct er_options options = {.tries = 77};
    int rc = er_options_decode(
        slice("{\"queue\":\"mail\",\"tries\":3,\"tags\":[\"a\",\"b\"],\"hooks\":["
              "\"failed\"],"
              "\"command\":[\"ls\"],\"unique_policy\":\"extend\",\"unique\":\"key\"}"),
        arena, &options, err);

    assert_int_equal(options.tries, rc == 0 ? 3 : 77);
    return rc;
}

TEST(stored_options_are_read_or_nothing_is)
{
    run_out_everywhere(decode);
}

static int set(struct errand_arena *arena, struct errand_error *err)
{
    struct er_options options = {0};
    int rc;

    if ((rc = er_options_set(&options, "queue", "mail", arena, err)) == 0)
        rc = er_options_set(&options, "tags", "a, b, c", arena, err);
    assert_int_equal(options.tags_n, rc == 0 ? 3 : 0);
    return rc;
}

TEST(an_option_is_set_or_nothing_is)
{
    run_out_everywhere(set);
}

static int unescape(struct errand_arena *arena, struct errand_error *err)
{
    struct errand_slice text = {.len = 77};
    int rc = er_json_unescape(slice("\"caf\\u00e9 caf\\u00e9 caf\\u00e9\""), arena, &text,
                              err);

    assert_int_equal(text.len, rc == 0 ? 17 : 77);
    return rc;
}

TEST(a_string_is_unescaped_or_nothing_is)
{
    run_out_everywhere(unescape);
}

/* Without memory from the first: a template needs a buffer as well as the arena. */
TEST(a_template_without_memory_makes_no_key)
{
    struct errand_arena *arena;
    struct errand_error err = {0};
    char *key = NULL;
    int rc;

    if (!can_run_out())
        skip();
    arena = er_arena_new();
    for (size_t i = 0; i < 2; i++) {
        is_out = true;
        rc =
            er_template_expand(i ? "{a}" : "text", slice("{\"a\":1}"), arena, &key, &err);
        is_out = false;
        assert_int_equal(rc, ERRAND_ENOMEM);
        assert_null(key);
    }
    er_arena_free(arena);
}

TEST(what_was_written_before_memory_ran_out_stays)
{
    struct er_options options = {.has = ER_OPT_QUEUE, .queue = "mail"};
    char big[1000] = {0};
    struct er_buf buf;

    if (!can_run_out())
        skip();
    er_buf_init(&buf, SIZE_MAX);
    assert_int_equal(er_buf_str(&buf, "before"), 0);
    is_out = true;
    assert_int_equal(er_buf_add(&buf, big, sizeof big), -1);
    assert_int_equal(er_json_write_string(&buf, big, sizeof big), -1);
    is_out = false;
    assert_string_equal(buf.ptr, "before");
    assert_true(buf.has_failed);
    er_buf_done(&buf);
    is_out = true;
    er_buf_init(&buf, SIZE_MAX);
    assert_int_equal(er_options_encode(&options, &buf), -1);
    is_out = false;
    er_buf_done(&buf);
}

static int compile(struct errand_arena *arena, struct errand_error *err)
{
    static const char text[] =
        "{\"properties\":{\"a\":{\"items\":{\"required\":[\"b\"]}}},"
        "\"additionalProperties\":{\"type\":\"null\"}}";
    const struct er_schema *schema;

    return er_schema_compile(slice(text), arena, &schema, err);
}

TEST(a_schema_without_memory_is_no_schema)
{
    run_out_everywhere(compile);
}

TEST(a_zone_without_memory_is_no_zone)
{
    struct er_zones *zones = er_zones_new(NULL);
    const struct er_zone *zone = NULL;
    struct errand_error err = {0};

    if (!can_run_out()) {
        er_zones_free(zones);
        skip();
    }
    assert_non_null(zones);
    is_out = true;
    assert_null(er_zones_new(NULL));
    assert_int_equal(er_zones_get(zones, "Europe/Berlin", &zone, &err), ERRAND_ENOMEM);
    is_out = false;
    assert_null(zone);
    assert_int_equal(er_zones_get(zones, "Europe/Berlin", &zone, &err), 0);
    er_zones_free(zones);
}

TEST(no_arena_is_null)
{
    struct errand_arena *arena;

    if (!can_run_out())
        skip();
    is_out = true;
    arena = er_arena_new();
    is_out = false;
    assert_null(arena);
}

TEST_MAIN()
