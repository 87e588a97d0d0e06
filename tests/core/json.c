/* json.c: what is JSON, what is not, and where. */
#include "core/json.h"

#include "base/buf.h"
#include "claims.h"

static void assert_json(const char *text, size_t len)
{
    struct errand_error err;

    if (er_json_check("x", (struct errand_slice){text, len}, NULL, &err) < 0)
        fail_msg("'%s' was refused: %s", text, err.message);
}

/* `rest` is what follows "data of 'mail' is not JSON: ". */
static void assert_no_json(const char *text, size_t len, const char *rest)
{
    char expected[256];
    struct errand_error err = {0};
    int rc =
        er_json_check("data of 'mail'", (struct errand_slice){text, len}, NULL, &err);

    snprintf(expected, sizeof expected, "data of 'mail' is not JSON: %s", rest);
    assert_error(rc, err, ERRAND_EJSON, expected);
}

#define GOOD(text) assert_json(text, sizeof(text) - 1)
#define BAD(text, rest) assert_no_json(text, sizeof(text) - 1, rest)

TEST(values_of_every_type_are_json)
{
    GOOD("null");
    GOOD("true");
    GOOD("false");
    GOOD("0");
    GOOD("-0");
    GOOD("-12.5e-3");
    GOOD("1E+400");
    GOOD("\"\"");
    GOOD("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"");
    GOOD("[]");
    GOOD("{}");
    GOOD(" \t\r\n[ 1 , [ ] , { } ]\n");
    GOOD("{\"a\":{\"b\":[1,{\"c\":null}]},\"a\":2}");
    GOOD("{\"\":1}");
    GOOD("\"\x7f\"");
    GOOD("123456789012345678901234567890.123456789012345678901234567890");
}

/* Strict parsers refuse these; JSON.stringify writes them. */
TEST(all_that_json_stringify_writes_is_accepted)
{
    GOOD("\"\\ud800\"");
    GOOD("\"\\udc00\\ud800\"");
    GOOD("\"\\u0000\"");
    GOOD("{\"\\u0000\":1e400}");
    GOOD("1e-400");
    GOOD("\"\xf0\x9f\x98\x80 \xe2\x82\xac \xc3\xa9 \xef\xbf\xbf\"");
    GOOD("\"\xe2\x80\xa8\"");
}

TEST(a_missing_value_is_told_with_its_place)
{
    BAD("{\"to\": ann@example.com}", "expected a value at line 1, column 8, found 'a'");
    BAD("", "expected a value at line 1, column 1, found the end");
    BAD("  \n ", "expected a value at line 2, column 2, found the end");
    BAD("nul", "expected a value at line 1, column 1, found 'n'");
    BAD("tru\xc3\xa9", "expected a value at line 1, column 1, found 't'");
    BAD("True", "expected a value at line 1, column 1, found 'T'");
    BAD("NaN", "expected a value at line 1, column 1, found 'N'");
    BAD("+1", "expected a value at line 1, column 1, found '+'");
    BAD(".5", "expected a value at line 1, column 1, found '.'");
    BAD("'a'", "expected a value at line 1, column 1, found '''");
    BAD("[1,]", "expected a value at line 1, column 4, found ']'");
    BAD("[,1]", "expected a value or ']' at line 1, column 2, found ','");
    BAD("[}", "expected a value or ']' at line 1, column 2, found '}'");
    BAD("]", "expected a value at line 1, column 1, found ']'");
    BAD("}", "expected a value at line 1, column 1, found '}'");
    BAD("{\"a\":}", "expected a value at line 1, column 6, found '}'");
    BAD("[", "expected a value or ']' at line 1, column 2, found the end");
    BAD("// x\n1", "expected a value at line 1, column 1, found '/'");
}

TEST(what_joins_values_is_told_with_its_place)
{
    BAD("[1 2]", "expected ',' or ']' at line 1, column 4, found '2'");
    BAD("[1}", "expected ',' or ']' at line 1, column 3, found '}'");
    BAD("[01]", "expected ',' or ']' at line 1, column 3, found '1'");
    BAD("{\"a\" 1}", "expected ':' at line 1, column 6, found '1'");
    BAD("{\"a\"}", "expected ':' at line 1, column 5, found '}'");
    BAD("{\"a\":1 \"b\":2}", "expected ',' or '}' at line 1, column 8, found '\"'");
    BAD("{\"a\":1]", "expected ',' or '}' at line 1, column 7, found ']'");
    BAD("{a:1}", "expected a name in quotes or '}' at line 1, column 2, found 'a'");
    BAD("{\"a\":1,}", "expected a name in quotes at line 1, column 8, found '}'");
    BAD("{1:1}", "expected a name in quotes or '}' at line 1, column 2, found '1'");
    BAD("{", "expected a name in quotes or '}' at line 1, column 2, found the end");
    BAD("{} {}", "expected the end at line 1, column 4, found '{'");
    BAD("1 2", "expected the end at line 1, column 3, found '2'");
    BAD("1\0", "expected the end at line 1, column 2, found byte 0x00");
}

TEST(broken_numbers_miss_a_digit)
{
    BAD("-", "expected a digit at line 1, column 2, found the end");
    BAD("-a", "expected a digit at line 1, column 2, found 'a'");
    BAD("1.", "expected a digit at line 1, column 3, found the end");
    BAD("1.e5", "expected a digit at line 1, column 3, found 'e'");
    BAD("1e", "expected a digit at line 1, column 3, found the end");
    BAD("1e+", "expected a digit at line 1, column 4, found the end");
    BAD("-Infinity", "expected a digit at line 1, column 2, found 'I'");
    BAD("0x10", "expected the end at line 1, column 2, found 'x'");
}

TEST(broken_strings_say_how)
{
    BAD("[\"abc", "the string is not closed, it begins at line 1, column 2");
    BAD("\"", "the string is not closed, it begins at line 1, column 1");
    BAD("\"a\\", "the string is not closed, it begins at line 1, column 1");
    BAD("\"a\\\"", "the string is not closed, it begins at line 1, column 1");
    BAD("{\"a", "the string is not closed, it begins at line 1, column 2");
    BAD("\"\\x41\"", "unknown escape in a string at line 1, column 3, found 'x'");
    BAD("\"\\\0\"", "unknown escape in a string at line 1, column 3, found byte 0x00");
    BAD("\"\\u12g4\"",
        "\\u needs four hexadecimal digits at line 1, column 6, found 'g'");
    BAD("\"\\u12",
        "\\u needs four hexadecimal digits at line 1, column 6, found the end");
    BAD("\"a\nb\"", "a control character in a string must be escaped at line 1, column "
                    "3, found the end of the line");
    BAD("\"a\tb\"", "a control character in a string must be escaped at line 1, column "
                    "3, found byte 0x09");
    BAD("\"a\0b\"", "a control character in a string must be escaped at line 1, column "
                    "3, found byte 0x00");
}

TEST(raw_bytes_that_are_no_utf8_are_refused)
{
    static const char *const bad[] = {"\x80",         "\xc0\x80",         "\xc3",
                                      "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[16], expected[96];
        snprintf(text, sizeof text, "\"ab%s\"", bad[i]);
        snprintf(expected, sizeof expected,
                 "not valid UTF-8 at line 1, column 4, found byte 0x%02x",
                 (unsigned char)bad[i][0]);
        assert_no_json(text, strlen(text), expected);
    }
}

/* What an editor shows, not what a hex dump shows. */
TEST(lines_and_columns_count_characters)
{
    BAD("{\n  \"\xc3\xa9\xe2\x82\xac\": x}",
        "expected a value at line 2, column 9, found 'x'");
    BAD("[1,\r\n2,\r\n\xc3\xa9]",
        "expected a value at line 3, column 1, found '\xc3\xa9'");
    BAD("\n\n\n\nx", "expected a value at line 5, column 1, found 'x'");
}

TEST(what_would_not_be_seen_is_named)
{
    BAD("\xef\xbb\xbf{}",
        "expected a value at line 1, column 1, found a byte order mark");
    BAD("[1\n", "expected ',' or ']' at line 2, column 1, found the end");
    BAD("\x1b[2J", "expected a value at line 1, column 1, found byte 0x1b");
    BAD("\xc2\x9b", "expected a value at line 1, column 1, found byte 0xc2");
    BAD("\xff", "expected a value at line 1, column 1, found byte 0xff");
    BAD("\xc2", "expected a value at line 1, column 1, found byte 0xc2");
    BAD("\x7f", "expected a value at line 1, column 1, found byte 0x7f");
}

TEST(too_many_bytes_are_told_with_both_numbers)
{
    struct er_json_limits limits = {.max_bytes = 4};
    struct errand_error err;

    assert_works(er_json_check("x", slice("1234"), &limits, &err), err);
    assert_error(er_json_check("data of 'mail'", slice("12345"), &limits, &err), err,
                 ERRAND_ETOOBIG, "data of 'mail' has 5 bytes, more than the 4 allowed");
}

TEST(a_megabyte_is_the_default_and_no_more)
{
    size_t len = 1 << 20;
    char *text = malloc(len + 1);
    struct errand_error err;

    memset(text, 'a', len + 1);
    text[0] = text[len - 1] = text[len] = '"';
    assert_json(text, len);
    assert_error(er_json_check("x", (struct errand_slice){text, len + 1}, NULL, &err),
                 err, ERRAND_ETOOBIG,
                 "x has 1048577 bytes, more than the 1048576 allowed");
    free(text);
}

static int check_nested(int depth, const struct er_json_limits *limits,
                        struct errand_error *err)
{
    struct er_buf text;
    int rc;

    er_buf_init(&text, SIZE_MAX);
    /* Arrays and objects in turn, so that every level's bit is read back. */
    for (int i = 0; i < depth; i++)
        er_buf_str(&text, i % 3 ? "[" : "{\"k\":");
    er_buf_str(&text, "1");
    for (int i = depth - 1; i >= 0; i--)
        er_buf_str(&text, i % 3 ? "]" : "}");
    rc = er_json_check("x", (struct errand_slice){text.ptr, text.len}, limits, err);
    er_buf_done(&text);
    return rc;
}

TEST(nesting_has_a_limit)
{
    struct er_json_limits limits = {.max_depth = 3};
    struct errand_error err;

    assert_works(check_nested(64, NULL, &err), err);
    assert_int_equal(check_nested(65, NULL, &err), ERRAND_ETOOBIG);
    assert_works(check_nested(3, &limits, &err), err);
    assert_error(check_nested(4, &limits, &err), err, ERRAND_ETOOBIG,
                 "x has more than 3 levels of nesting, at line 1, column 8");
}

TEST(a_limit_below_zero_is_the_default)
{
    struct er_json_limits limits = {.max_depth = -1};
    struct errand_error err;

    assert_works(check_nested(64, &limits, &err), err);
    assert_int_equal(check_nested(65, &limits, &err), ERRAND_ETOOBIG);
}

TEST(a_limit_on_nesting_has_a_limit_itself)
{
    struct er_json_limits limits = {.max_depth = 1000000};
    struct errand_error err;

    assert_works(check_nested(4096, &limits, &err), err);
    assert_int_equal(check_nested(4097, &limits, &err), ERRAND_ETOOBIG);
    assert_int_equal(check_nested(100000, &limits, &err), ERRAND_ETOOBIG);
}

TEST(names_have_a_limit_over_all_objects)
{
    struct er_json_limits limits = {.max_keys = 3};
    struct errand_error err;

    assert_works(
        er_json_check("x", slice("[{\"a\":1},{\"b\":{\"c\":2}}]"), &limits, &err), err);
    assert_error(er_json_check("x", slice("[{\"a\":1},\n{\"b\":{\"c\":{\"d\":2}}}]"),
                               &limits, &err),
                 err, ERRAND_ETOOBIG, "x has more than 3 names, at line 2, column 12");
}

TEST(nobody_has_to_listen_and_no_bytes_need_a_pointer)
{
    assert_int_equal(er_json_check("x", (struct errand_slice){NULL, 0}, NULL, NULL),
                     ERRAND_EJSON);
}

/* A file cut anywhere must be refused, and nothing behind its end read: each piece is in
 * a block of its own, so that a sanitizer sees it. */
TEST(every_beginning_of_a_document_is_refused)
{
    static const char whole[] = "{\"a\":[1,-2.5e+3,\"x\\u00e9\\n\xe2\x82\xac\",true,"
                                "false,null,{}],\"b\":{\"c\":[]}}";

    assert_json(whole, sizeof whole - 1);
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        char *piece = malloc(len ? len : 1);
        struct errand_error err = {0};
        memcpy(piece, whole, len);
        assert_int_equal(
            er_json_check("x", (struct errand_slice){piece, len}, NULL, &err),
            ERRAND_EJSON);
        assert_string_not_equal(err.message, "");
        free(piece);
    }
}

TEST_MAIN()
