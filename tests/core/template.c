/* template.c: keys made from the data. */
#include "claims.h"
#include "core/json.h"

static struct errand_arena *arena;

static int setup(void **state)
{
    (void)state;
    return (arena = er_arena_new()) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    er_arena_free(arena);
    return 0;
}
TEST_FIXTURE(setup, teardown)

static const char data[] = "{\"orderId\":42,\"to\":{\"mail\":\"a\\u0040b\"},\"xs\":[1.50,"
                           "true,null,{\"k\": 1}],\"nul\":\"a\\u0000b\"}";

static const char *expand(const char *template_text)
{
    struct errand_error err;
    char *key = NULL;

    assert_works(er_template_check(template_text, &err), err);
    assert_works(er_template_expand(template_text, slice(data), arena, &key, &err), err);
    return key;
}

TEST(paths_become_the_values_there)
{
    assert_string_equal(expand("order:{orderId}"), "order:42");
    assert_string_equal(expand("{to.mail}"), "a@b");
    assert_string_equal(expand("{xs[0]}-{xs[1]}-{xs[2]}-{xs[3].k}"), "1.50-true-null-1");
    assert_string_equal(expand("{xs[3]}"), "{\"k\": 1}");
    assert_string_equal(expand("{orderId}{orderId}"), "4242");
}

TEST(text_without_paths_is_itself)
{
    assert_string_equal(expand("nightly"), "nightly");
    assert_string_equal(expand(""), "");
}

TEST(two_braces_are_one)
{
    assert_string_equal(expand("{{{orderId}}}"), "{42}");
    assert_string_equal(expand("{{}}"), "{}");
    assert_string_equal(expand("a{{b"), "a{b");
}

/* At load time and at dispatch alike. */
static void assert_broken(const char *template_text, const char *message)
{
    struct errand_error err;
    char *key = NULL;

    assert_error(er_template_check(template_text, &err), err, ERRAND_EINVAL, message);
    assert_int_equal(er_template_expand(template_text, slice(data), arena, &key, &err),
                     ERRAND_EINVAL);
    assert_null(key);
}

TEST(a_broken_template_is_told_with_its_place)
{
    assert_broken("order:{orderId", "template 'order:{orderId' has a '{' at position 7 "
                                    "without a path and a '}': write '{{' for a brace");
    assert_broken("a}b",
                  "template 'a}b' has a '}' too much at position 2: write '}}' for "
                  "a brace");
    assert_broken("{}", "template '{}' has a '{' at position 1 without a path and a '}': "
                        "write '{{' for a brace");
    assert_broken("{", "template '{' has a '{' at position 1 without a path and a '}': "
                       "write '{{' for a brace");
    assert_broken("{a{b}}",
                  "template '{a{b}}' has a '{' at position 1 without a path and "
                  "a '}': write '{{' for a brace");
    assert_broken("x{orderId..y}",
                  "template 'x{orderId..y}': path 'orderId..y' is broken at position 8: "
                  "names joined by '.', and [number] for arrays");
}

TEST(a_path_has_a_longest_length)
{
    char text[400];

    memset(text, 'p', sizeof text);
    text[0] = '{';
    text[256] = '}';
    text[257] = '\0';
    assert_int_equal(er_template_check(text, NULL), 0);
    text[256] = 'p';
    text[257] = '}';
    text[258] = '\0';
    assert_int_equal(er_template_check(text, NULL), ERRAND_EINVAL);
}

static void assert_fails(const char *template_text, int code, const char *message)
{
    struct errand_error err;
    char *key = NULL;

    assert_error(er_template_expand(template_text, slice(data), arena, &key, &err), err,
                 code, message);
    assert_null(key);
}

TEST(a_value_that_the_data_lacks_is_named)
{
    assert_fails("u:{userId}", ERRAND_ENOTFOUND,
                 "template 'u:{userId}': there is no value at 'userId'");
}

/* A key is a C string somewhere: two that differ behind the NUL must not become one. */
TEST(a_value_with_a_nul_makes_no_key)
{
    assert_fails("{nul}", ERRAND_EINVAL,
                 "template '{nul}': the value at 'nul' has a NUL in it, a key cannot");
}

TEST(a_key_does_not_grow_without_end)
{
    size_t len = 70000;
    char *json = malloc(len + 9), *key = NULL;
    struct errand_error err;

    memcpy(json, "{\"a\":\"", 6);
    memset(json + 6, 'x', len);
    memcpy(json + 6 + len, "\"}", 3);
    assert_error(er_template_expand("{a}", slice(json), arena, &key, &err), err,
                 ERRAND_ETOOBIG,
                 "template '{a}': the value at 'a' is too long for a key: 70000 bytes");
    free(json);
}

TEST_MAIN()
