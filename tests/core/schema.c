/* schema.c: what a schema may say, what data it lets through, and how it says why not. */
#include "claims.h"

#include "base/buf.h"
#include "core/json.h"
#include "core/schema.h"

static struct errand_arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = er_arena_new();
    return arena ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    er_arena_free(arena);
    return 0;
}

TEST_FIXTURE(setup, teardown)

static const struct er_schema *schema_of(const char *text)
{
    const struct er_schema *schema = NULL;
    struct errand_error err = {0};

    assert_works(er_schema_compile(slice(text), arena, &schema, &err), err);
    return schema;
}

static void assert_refused(const char *text, const char *expected)
{
    struct errand_error err = {0};

    assert_error(er_schema_text_check(slice(text), &err), err, ERRAND_EINVAL, expected);
}

static void assert_valid(const char *schema, const char *data)
{
    struct errand_error err = {0};

    assert_int_equal(
        er_json_check("data", slice(data), &(struct er_json_limits){0}, &err), 0);
    if (er_schema_validate(schema_of(schema), "data", slice(data), &err) < 0)
        fail_msg("%s against %s: %s", data, schema, err.message);
}

static void assert_invalid(const char *schema, const char *data, const char *expected)
{
    struct errand_error err = {0};

    assert_int_equal(
        er_json_check("data", slice(data), &(struct er_json_limits){0}, &err), 0);
    assert_error(er_schema_validate(schema_of(schema), "data", slice(data), &err), err,
                 ERRAND_EINVAL, expected);
}

TEST(an_empty_schema_lets_everything_through)
{
    static const char *const values[] = {"null", "true", "1e400", "\"\"", "[]", "{}"};

    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        assert_valid("{}", values[i]);
}

TEST(a_type_is_one_name_or_several)
{
    assert_valid("{\"type\":\"string\"}", "\"x\"");
    assert_valid("{\"type\":[\"string\",\"null\"]}", " null ");
    assert_valid("{\"type\":\"number\"}", "1.5");
    assert_valid("{\"type\":\"boolean\"}", "false");
    assert_invalid("{\"type\":\"string\"}", "1", "data: it is a number, not a string");
    assert_invalid("{\"type\":[\"array\",\"object\"]}", "null",
                   "data: it is null, not an array or an object");
}

TEST(an_integer_is_a_whole_number_however_it_is_written)
{
    assert_valid("{\"type\":\"integer\"}", "3");
    assert_valid("{\"type\":\"integer\"}", "3.0");
    assert_valid("{\"type\":\"integer\"}", "-3e2");
    assert_valid("{\"type\":\"integer\"}", "123456789012345678901234567890");
    assert_invalid("{\"type\":\"integer\"}", "3.5",
                   "data: it is a number, not an integer");
    assert_invalid("{\"type\":\"integer\"}", "1e400",
                   "data: it is a number, not an integer");
}

TEST(properties_and_required_speak_of_members)
{
    static const char schema[] =
        "{\"type\":\"object\",\"required\":[\"to\"],"
        "\"properties\":{\"to\":{\"type\":\"string\"},\"n\":{\"type\":\"integer\"}}}";

    assert_valid(schema, "{\"to\":\"ann\"}");
    assert_valid(schema, "{\"to\":\"ann\",\"n\":1,\"else\":[]}");
    assert_valid(schema, "{\"\\u0074o\":\"ann\"}");
    assert_invalid(schema, "{\"n\":1}", "data: it has no 'to'");
    assert_invalid(schema, "{\"to\":\"ann\",\"n\":\"1\"}",
                   "data: n is a string, not an integer");
}

/* Whoever reads the data may take either of them. */
TEST(a_key_that_is_written_twice_must_be_right_twice)
{
    assert_invalid("{\"properties\":{\"n\":{\"type\":\"integer\"}}}",
                   "{\"n\":\"x\",\"n\":1}", "data: n is a string, not an integer");
}

TEST(other_members_may_be_forbidden_or_have_a_schema)
{
    static const char closed[] =
        "{\"properties\":{\"a\":{}},\"additionalProperties\":false}";

    assert_valid(closed, "{\"a\":1}");
    assert_invalid(closed, "{\"a\":1,\"b\":2}", "data: b is not a key that it may have");
    assert_valid("{\"additionalProperties\":true}", "{\"b\":2}");
    assert_valid("{\"additionalProperties\":{\"type\":\"number\"}}", "{\"b\":2}");
    assert_invalid("{\"additionalProperties\":{\"type\":\"number\"}}", "{\"b\":\"2\"}",
                   "data: b is a string, not a number");
}

TEST(a_message_names_the_way_to_the_place)
{
    assert_invalid("{\"properties\":{\"order\":{\"properties\":{\"items\":{\"items\":{"
                   "\"properties\":{\"price\":{\"minimum\":0}}}}}}}}",
                   "{\"order\":{\"items\":[{\"price\":1},{\"price\":-0.5}]}}",
                   "data: order.items[1].price is less than 0");
    assert_invalid("{\"items\":{\"items\":{\"type\":\"null\"}}}", "[[],[null,1]]",
                   "data: [1][1] is a number, not a null");
}

TEST(enum_and_const_compare_by_value)
{
    assert_valid("{\"enum\":[\"a\",1,null]}", "1.0");
    assert_valid("{\"enum\":[\"a\",1,null]}", "\"\\u0061\"");
    assert_valid("{\"const\":{\"x\":[1,{\"y\":true}],\"z\":\"\\ud83d\\ude00\"}}",
                 "{\"z\":\"😀\",\"x\":[1e0,{\"y\":true}]}");
    assert_invalid("{\"enum\":[\"a\",1]}", "\"b\"", "data: it is not one of [\"a\",1]");
    assert_invalid("{\"const\":{\"x\":1}}", "{\"x\":1,\"y\":2}",
                   "data: it is not {\"x\":1}");
    assert_invalid("{\"const\":[1,2]}", "[1]", "data: it is not [1,2]");
    assert_invalid("{\"const\":true}", "false", "data: it is not true");
    assert_invalid("{\"const\":9007199254740993}", "9007199254740992",
                   "data: it is not 9007199254740993");
}

/* Comparing both ways at every level would take 2 to the 30th steps. */
TEST(a_deep_constant_is_compared_at_once)
{
    struct er_buf data, schema;

    er_buf_init(&data, 4096);
    er_buf_init(&schema, 4096);
    for (int i = 0; i < 30; i++)
        er_buf_str(&data, "{\"a\":");
    er_buf_str(&data, "1");
    for (int i = 0; i < 30; i++)
        er_buf_str(&data, "}");
    er_buf_printf(&schema, "{\"const\":%s}", data.ptr);
    assert_valid(schema.ptr, data.ptr);
    er_buf_done(&data);
    er_buf_done(&schema);
}

TEST(bounds_hold_for_the_type_they_are_for)
{
    static const char schema[] =
        "{\"minimum\":1,\"maximum\":2.5,\"minLength\":2,\"maxLength\":3,"
        "\"minItems\":1,\"maxItems\":2}";

    assert_valid(schema, "1");
    assert_valid(schema, "2.5");
    assert_valid(schema, "\"ab\"");
    assert_valid(schema, "[0]");
    assert_valid(schema, "null");
    assert_invalid(schema, "0", "data: it is less than 1");
    assert_invalid(schema, "2.6", "data: it is more than 2.5");
    assert_invalid(schema, "\"a\"", "data: it has 1 characters, less than the 2 it must");
    assert_invalid(schema, "\"abcd\"",
                   "data: it has 4 characters, more than the 3 it may");
    assert_invalid(schema, "[]", "data: it has 0 elements, less than the 1 it must");
    assert_invalid(schema, "[1,2,3]", "data: it has 3 elements, more than the 2 it may");
}

TEST(a_length_counts_characters_and_not_bytes)
{
    assert_valid("{\"maxLength\":3}", "\"日本語\"");
    assert_valid("{\"maxLength\":1}", "\"😀\"");
    assert_valid("{\"maxLength\":1}", "\"\\uD83D\\uDE00\"");
    assert_valid("{\"minLength\":2,\"maxLength\":2}", "\"\\ud83d\\n\"");
    assert_valid("{\"minLength\":2,\"maxLength\":2}", "\"\\\"\\\\\"");
}

TEST(large_whole_numbers_are_compared_exactly)
{
    assert_valid("{\"maximum\":9007199254740993}", "9007199254740993");
    assert_invalid("{\"maximum\":9007199254740992}", "9007199254740993",
                   "data: it is more than 9007199254740992");
}

TEST(what_is_not_supported_is_an_error_and_never_passed_over)
{
#define SUPPORTED                                                                     \
    "is not supported; supported are type, enum, const, properties, required, "       \
    "additionalProperties, items, minimum, maximum, minLength, maxLength, minItems, " \
    "maxItems"
    assert_refused("{\"pattern\":\"^a\"}", "schema: 'pattern' " SUPPORTED);
    assert_refused("{\"properties\":{\"to\":{\"format\":\"email\"}}}",
                   "schema: properties.to: 'format' " SUPPORTED);
    assert_refused("{\"items\":{\"$ref\":\"#/x\"}}", "schema: items: '$ref' " SUPPORTED);
}

TEST(a_schema_that_is_wrong_says_where)
{
    assert_refused("[]", "schema: it is array, not an object");
    assert_refused("{\"items\":true}", "schema: items is boolean, not an object");
    assert_refused("{\"type\":\"text\"}",
                   "schema: 'type' is not one of null, boolean, integer, number, string, "
                   "array, object or an array of them");
    assert_refused("{\"type\":[]}", "schema: 'type' is an empty array");
    assert_refused("{\"enum\":[]}",
                   "schema: 'enum' is not an array of at least one value");
    assert_refused("{\"properties\":[]}", "schema: 'properties' is not an object");
    assert_refused("{\"required\":\"to\"}",
                   "schema: 'required' is not an array of names");
    assert_refused("{\"required\":[1]}", "schema: 'required' is not an array of names");
    assert_refused("{\"minimum\":\"1\"}", "schema: 'minimum' is not a number");
    assert_refused("{\"maxLength\":-1}",
                   "schema: 'maxLength' is not a whole number from 0 on");
    assert_refused("{\"minimum\":2,\"maximum\":1}",
                   "schema: 'minimum' is over 'maximum'");
    assert_refused("{\"minItems\":2,\"maxItems\":1}",
                   "schema: 'minItems' is over 'maxItems'");
}

TEST(a_schema_that_is_no_json_or_too_deep_is_refused)
{
    struct errand_error err = {0};
    char deep[400] = "";
    size_t used = 0;

    assert_error(er_schema_text_check(slice("{\"type\":}"), &err), err, ERRAND_EJSON,
                 "schema is not JSON: expected a value at line 1, column 9, found '}'");
    for (int i = 0; i < 33; i++)
        used += (size_t)snprintf(deep + used, sizeof deep - used, "{\"items\":");
    assert_int_equal(er_schema_text_check(slice(deep), &err), ERRAND_ETOOBIG);
}

TEST_MAIN()
