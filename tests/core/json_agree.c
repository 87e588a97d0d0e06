/* json_agree.c: when two JSON texts mean the same, and where they do not. */
#include "core/json.h"

#include "claims.h"

static void assert_agree(const char *a, const char *b)
{
    struct errand_error why = {0};

    assert_works(er_json_check("a", slice(a), NULL, &why), why);
    assert_works(er_json_check("b", slice(b), NULL, &why), why);
    if (!er_json_agree(slice(a), slice(b), &why) ||
        !er_json_agree(slice(b), slice(a), &why))
        fail_msg("%s and %s: %s", a, b, why.message);
}

static void assert_differs(const char *got, const char *want, const char *says)
{
    struct errand_error why = {0};

    assert_false(er_json_agree(slice(want), slice(got), NULL));
    assert_false(er_json_agree(slice(got), slice(want), &why));
    assert_string_equal(why.message, says);
}

TEST(the_order_of_keys_and_space_mean_nothing)
{
    assert_agree("{\"a\":1,\"b\":[true,null]}",
                 " { \"b\" : [ true , null ] , \"a\" : 1 } ");
    assert_agree("{}", "{ }");
    assert_agree("[]", "[\n]");
    assert_agree("{\"a\":{\"x\":1,\"y\":2}}", "{\"a\":{\"y\":2,\"x\":1}}");
}

TEST(a_number_is_the_same_however_it_is_written)
{
    assert_agree("1", "1.0");
    assert_agree("100", "1e2");
    assert_agree("0.5", "5E-1");
    assert_agree("1e999", "1e999");
    assert_differs("9007199254740993", "9007199254740992",
                   "it is 9007199254740993, not 9007199254740992");
    assert_differs("1", "\"1\"", "it is 1, not \"1\"");
}

TEST(a_string_is_the_same_however_it_is_escaped)
{
    assert_agree("\"\\u0041\\/b\"", "\"A/b\"");
    assert_agree("{\"\\u0061\":1}", "{\"a\":1}");
    assert_agree("\"\"", "\"\"");
    assert_differs("\"a\"", "\"ab\"", "it is \"a\", not \"ab\"");
}

TEST(of_a_key_written_twice_the_last_counts)
{
    assert_agree("{\"a\":1,\"a\":2}", "{\"a\":2}");
    assert_differs("{\"a\":2,\"a\":1}", "{\"a\":2}", "'a' is 1, not 2");
}

TEST(the_place_of_a_difference_is_named)
{
    assert_differs("{\"items\":[{\"sku\":7}]}", "{\"items\":[{\"sku\":8}]}",
                   "'items[0].sku' is 7, not 8");
    assert_differs("{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1,\"c\":2}}",
                   "'a' has no key \"c\"");
    assert_differs("{\"b\":1}", "{}", "it must not have the key \"b\"");
    assert_differs("[1,2]", "[1]", "it is [1,2], not [1]");
    assert_differs("[1,[2,3]]", "[1,[2]]", "'[1]' is [2,3], not [2]");
    assert_differs("{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":null}", "'b' is 2, not null");
    assert_differs("true", "false", "it is true, not false");
}

TEST_MAIN()
