/* json_find.c: finding and walking. */
#include "core/json.h"

#include "claims.h"

static const char order[] =
    "{\"id\":7,\"to\":{\"name\":\"Ann\",\"tags\":[\"a\",[1,2],{\"k\":null}]},"
    "\"paid\":true,\"e\\u0041\":1.5,\"s\":\"a]}\\\"b\", \"sp\" : { } }";

static struct errand_slice find_in(const char *json, const char *path,
                                   enum er_json_type expected)
{
    struct errand_slice value = {0};
    enum er_json_type type = ER_JSON_NULL;
    struct errand_error err;

    assert_works(er_json_check("x", slice(json), NULL, &err), err);
    assert_works(er_json_find(slice(json), path, &type, &value, &err), err);
    assert_int_equal(type, expected);
    return value;
}

TEST(values_are_found_as_they_were_written)
{
    assert_slice(find_in(order, "id", ER_JSON_NUMBER), "7");
    assert_slice(find_in(order, "to.name", ER_JSON_STRING), "\"Ann\"");
    assert_slice(find_in(order, "to.tags[0]", ER_JSON_STRING), "\"a\"");
    assert_slice(find_in(order, "to.tags[1]", ER_JSON_ARRAY), "[1,2]");
    assert_slice(find_in(order, "to.tags[1][1]", ER_JSON_NUMBER), "2");
    assert_slice(find_in(order, "to.tags[2].k", ER_JSON_NULL), "null");
    assert_slice(find_in(order, "paid", ER_JSON_BOOL), "true");
    assert_slice(find_in(order, "s", ER_JSON_STRING), "\"a]}\\\"b\"");
    assert_slice(find_in(order, "sp", ER_JSON_OBJECT), "{ }");
}

TEST(the_empty_path_is_the_whole_without_space_around_it)
{
    assert_slice(find_in(" [1, 2]\n", "", ER_JSON_ARRAY), "[1, 2]");
    assert_slice(find_in("\t-1.5 ", "", ER_JSON_NUMBER), "-1.5");
    assert_slice(find_in("\"x\"", "", ER_JSON_STRING), "\"x\"");
    assert_slice(find_in("[[5]]", "[0][0]", ER_JSON_NUMBER), "5");
}

TEST(a_name_is_compared_by_what_it_means)
{
    assert_slice(find_in(order, "eA", ER_JSON_NUMBER), "1.5");
    assert_slice(find_in("{\"\\u00e9\\n\":1}", "\xc3\xa9\n", ER_JSON_NUMBER), "1");
    assert_slice(find_in("{\"ab\":1,\"a\":2,\"abc\":3}", "a", ER_JSON_NUMBER), "2");
}

/* As JSON.parse has it. */
TEST(of_two_values_of_one_name_the_last_wins)
{
    assert_slice(find_in("{\"a\":1,\"b\":2,\"a\":3}", "a", ER_JSON_NUMBER), "3");
    assert_slice(find_in("{\"a\":{\"x\":1},\"a\":{\"x\":2}}", "a.x", ER_JSON_NUMBER),
                 "2");
}

static void assert_missing(const char *path, const char *message)
{
    struct errand_slice value = {.ptr = order, .len = 77};
    enum er_json_type type = ER_JSON_BOOL;
    struct errand_error err;

    assert_error(er_json_find(slice(order), path, &type, &value, &err), err,
                 ERRAND_ENOTFOUND, message);
    assert_int_equal(value.len, 77);
    assert_int_equal(type, ER_JSON_BOOL);
}

TEST(what_is_not_there_is_told_with_the_reason)
{
    assert_missing("nothing", "there is no value at 'nothing'");
    assert_missing("to.nothing.more", "there is no value at 'to.nothing'");
    assert_missing("to.tags[3]", "there is no value at 'to.tags[3]'");
    assert_missing("id.x", "there is no value at 'id.x': 'id' is of type number");
    assert_missing("to[0]", "there is no value at 'to[0]': 'to' is of type object");
    assert_missing("to.tags.x",
                   "there is no value at 'to.tags.x': 'to.tags' is of type array");
    assert_missing("[0]", "there is no value at '[0]'");
}

TEST(a_broken_path_is_told_with_its_place)
{
    static const struct {
        const char *path;
        size_t place;
    } bad[] = {
        {".", 1},   {"a.", 2},    {".a", 1},    {"a..b", 2},
        {"a[", 2},  {"a[]", 2},   {"a[x]", 2},  {"a[-1]", 2},
        {"a[1", 2}, {"a[1]b", 5}, {"a[1].", 5}, {"a[99999999999999999999999]", 2},
    };
    struct errand_slice value;
    enum er_json_type type;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct errand_error err;
        char expected[160];
        snprintf(expected, sizeof expected,
                 "path '%s' is broken at position %zu: names joined by '.', and [number] "
                 "for arrays",
                 bad[i].path, bad[i].place);
        assert_error(er_json_find(slice(order), bad[i].path, &type, &value, &err), err,
                     ERRAND_EINVAL, expected);
        assert_error(er_json_path_check(bad[i].path, &err), err, ERRAND_EINVAL, expected);
    }
    assert_int_equal(er_json_path_check("a.b[0][1].c", NULL), 0);
    assert_int_equal(er_json_path_check("", NULL), 0);
}

TEST(a_walk_sees_members_in_order_with_their_types)
{
    struct er_json_walk walk;

    er_json_walk(&walk, slice(" { \"a\" : 1 , \"a\":\"x\",\"b\":[ ],\"c\":{\"d\":2} }"));
    assert_true(walk.is_object);
    assert_true(er_json_next(&walk));
    assert_slice(walk.key, "\"a\"");
    assert_slice(walk.value, "1");
    assert_true(er_json_next(&walk));
    assert_slice(walk.value, "\"x\"");
    assert_int_equal(walk.type, ER_JSON_STRING);
    assert_true(er_json_next(&walk));
    assert_slice(walk.value, "[ ]");
    assert_true(er_json_next(&walk));
    assert_slice(walk.key, "\"c\"");
    assert_int_equal(walk.type, ER_JSON_OBJECT);
    assert_false(er_json_next(&walk));
}

TEST(a_walk_over_what_has_no_members_sees_nothing)
{
    static const char *const flat[] = {"{}", "[]", " [ ] ", "1", "\"[1]\"", "null", ""};
    struct er_json_walk walk;

    for (size_t i = 0; i < sizeof flat / sizeof *flat; i++) {
        er_json_walk(&walk, slice(flat[i]));
        assert_false(er_json_next(&walk));
    }
    er_json_walk(&walk, (struct errand_slice){NULL, 0});
    assert_false(er_json_next(&walk));
}

/* Callers check first; one that forgot must get nonsense, not a crash or a loop. */
TEST(bytes_that_nobody_checked_do_no_harm)
{
    static const char *const odd[] = {"{a",    "{\"a", "[1 2", "{\"a\":",  "[\"\\",
                                      "{]}",   ",,",   "[:]",  "}",        "{\"a\"1}",
                                      "[\x01", "{:1}", "[[[[", "{\"a\":{", "\"\\u"};
    struct errand_slice value;
    enum er_json_type type;

    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        size_t len = strlen(odd[i]);
        char *piece = malloc(len);
        struct er_json_walk walk;
        size_t steps = 0;
        memcpy(piece, odd[i], len);
        for (er_json_walk(&walk, (struct errand_slice){piece, len}); er_json_next(&walk);)
            assert_true(++steps <= len);
        er_json_find((struct errand_slice){piece, len}, "a.b[0]", &type, &value, NULL);
        free(piece);
    }
}

TEST(types_have_names)
{
    assert_string_equal(er_json_type_name(ER_JSON_NULL), "null");
    assert_string_equal(er_json_type_name(ER_JSON_BOOL), "boolean");
    assert_string_equal(er_json_type_name(ER_JSON_NUMBER), "number");
    assert_string_equal(er_json_type_name(ER_JSON_STRING), "string");
    assert_string_equal(er_json_type_name(ER_JSON_ARRAY), "array");
    assert_string_equal(er_json_type_name(ER_JSON_OBJECT), "object");
    assert_string_equal(er_json_type_name((enum er_json_type)9), "?");
}

TEST_MAIN()
