/* json_text.c, json_number.c: what strings and numbers mean, and strings written. */
#include <locale.h>
#include <math.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "claims.h"
#include "core/json.h"

static struct errand_arena *arena;
static struct er_buf buf;

static int setup(void **state)
{
    (void)state;
    er_buf_init(&buf, 4096);
    return (arena = er_arena_new()) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    er_buf_done(&buf);
    er_arena_free(arena);
    return 0;
}
TEST_FIXTURE(setup, teardown)

static struct errand_slice unescape(const char *json)
{
    struct errand_slice text = {0};
    struct errand_error err;

    assert_works(er_json_unescape(slice(json), arena, &text, &err), err);
    assert_int_equal(text.ptr[text.len], '\0');
    return text;
}

TEST(escapes_become_what_they_mean)
{
    assert_slice(unescape("\"\""), "");
    assert_slice(unescape("\"plain\""), "plain");
    assert_slice(unescape("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), "\"\\/\b\f\n\r\t");
    assert_slice(unescape("\"a\\u00e9\\u20AC\\ud83d\\ude00z\""),
                 "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z");
    assert_slice(unescape("\"a\\u0000b\""), "a\0b");
    assert_slice(unescape("\"\xe2\x82\xac\""), "\xe2\x82\xac");
}

TEST(half_a_surrogate_pair_becomes_a_replacement_character)
{
    assert_slice(unescape("\"\\ud800\""), "\xef\xbf\xbd");
    assert_slice(unescape("\"\\ud800x\""), "\xef\xbf\xbdx");
    assert_slice(unescape("\"\\udc00\\ud800\""), "\xef\xbf\xbd\xef\xbf\xbd");
    assert_slice(unescape("\"\\ud800\\ud83d\\ude00\""), "\xef\xbf\xbd\xf0\x9f\x98\x80");
    assert_slice(unescape("\"\\ud800\\n\""), "\xef\xbf\xbd\n");
    assert_slice(unescape("\"\\ud800\\u0041\""), "\xef\xbf\xbd"
                                                 "A");
}

TEST(what_is_no_string_is_refused)
{
    static const char *const bad[] = {"1", "", "\"", "\"a", "a\""};
    struct errand_slice text;
    struct errand_error err;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_error(er_json_unescape(slice(bad[i]), arena, &text, &err), err,
                     ERRAND_EINVAL, "not a JSON string");
}

/* Nobody checked these: the end of the slice is the end all the same. */
TEST(escapes_that_are_cut_do_not_read_on_and_do_not_grow)
{
    assert_slice(unescape("\"\\u12\""), "u12");
    assert_slice(unescape("\"\\u\\u\\u\""), "uuu");
    assert_slice(unescape("\"\\ud800\\u12\""), "\xef\xbf\xbdu12");
    assert_slice(unescape("\"\\\""), "\\");
}

TEST(a_string_equals_the_text_it_means)
{
    assert_true(er_json_equal(slice("\"ab\""), "ab", 2));
    assert_true(er_json_equal(slice("\"\\u0061b\""), "ab", 2));
    assert_true(er_json_equal(slice("\"\""), "", 0));
    assert_false(er_json_equal(slice("\"ab\""), "abc", 3));
    assert_false(er_json_equal(slice("\"abc\""), "ab", 2));
    assert_false(er_json_equal(slice("\"a\\nb\""), "anb", 3));
    assert_false(er_json_equal(slice("ab"), "ab", 2));
}

static void assert_written(const char *text, size_t len, const char *expected)
{
    struct errand_error err;

    er_buf_reset(&buf);
    assert_int_equal(er_json_write_string(&buf, text, len), 0);
    assert_string_equal(buf.ptr, expected);
    assert_works(er_json_check("x", (struct errand_slice){buf.ptr, buf.len}, NULL, &err),
                 err);
}

TEST(text_is_written_as_a_string)
{
    assert_written("", 0, "\"\"");
    assert_written(NULL, 0, "\"\"");
    assert_written("h\xc3\xa9llo", 6, "\"h\xc3\xa9llo\"");
    assert_written("\"\\/\b\f\n\r\t", 8, "\"\\\"\\\\/\\b\\f\\n\\r\\t\"");
    assert_written("\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\"");
}

TEST(bytes_that_are_no_utf8_are_written_as_replacement_characters)
{
    assert_written("a\xff"
                   "b\xc3",
                   4,
                   "\"a\xef\xbf\xbd"
                   "b\xef\xbf\xbd\"");
    assert_written("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST(any_bytes_make_json_and_good_ones_come_back)
{
    char text[3];

    for (int a = 0; a < 256; a++)
        for (int b = 0; b < 256; b += 3) {
            struct errand_slice json, back;
            struct errand_error err;
            text[0] = (char)a, text[1] = (char)b, text[2] = 'z';
            er_buf_reset(&buf);
            er_arena_reset(arena);
            assert_int_equal(er_json_write_string(&buf, text, 3), 0);
            json = (struct errand_slice){buf.ptr, buf.len};
            assert_works(er_json_check("x", json, NULL, &err), err);
            assert_works(er_json_unescape(json, arena, &back, &err), err);
            if (er_utf8_check(text, 3)) {
                assert_int_equal(back.len, 3);
                assert_memory_equal(back.ptr, text, 3);
            }
        }
}

TEST(a_string_is_written_whole_or_not_at_all)
{
    struct er_buf small;

    er_buf_init(&small, 8);
    assert_int_equal(er_json_write_string(&small, "abc", 3), 0);
    assert_int_equal(er_json_write_string(&small, "ab", 2), -1);
    assert_string_equal(small.ptr, "\"abc\"");
    er_buf_done(&small);
    er_buf_init(&small, 0);
    assert_int_equal(er_json_write_string(&small, "", 0), -1);
    er_buf_done(&small);
}

static double double_of(const char *json)
{
    double value = -77;

    assert_int_equal(er_json_double(slice(json), &value), 0);
    return value;
}

static void assert_doubles(void)
{
    assert_true(double_of("1.5") == 1.5);
    assert_true(double_of("-0.25e2") == -25);
    assert_true(double_of("7") == 7);
    assert_true(double_of("0.1") == 0.1);
    assert_true(isinf(double_of("1e400")));
    assert_true(double_of("1e-400") == 0);
}

TEST(numbers_are_read_as_doubles)
{
    double value = -77;

    assert_doubles();
    assert_int_equal(er_json_double(slice("\"1\""), &value), -1);
    assert_int_equal(er_json_double(slice("0x10"), &value), -1);
    assert_int_equal(er_json_double(slice("nan"), &value), -1);
    assert_int_equal(er_json_double(slice("1 "), &value), 0);
    assert_int_equal(er_json_double(slice(""), &value), -1);
}

/* A host program may have set any; without such a locale on this machine the claim is
 * made in the one there is. */
TEST(a_locale_with_decimal_commas_changes_nothing)
{
    static const char *const commas[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "C"};
    size_t i = 0;

    while (!setlocale(LC_NUMERIC, commas[i]))
        i++;
    assert_doubles();
    setlocale(LC_NUMERIC, "C");
}

TEST(whole_numbers_are_exact)
{
    static const struct {
        const char *json;
        int64_t value;
    } good[] = {
        {"0", 0},
        {"-0", 0},
        {"9007199254740993", INT64_C(9007199254740993)},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"3.0", 3},
        {"3e2", 300},
        {"-1.5E1", -15},
    };
    int64_t value;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(er_json_int(slice(good[i].json), &value), 0);
        assert_int_equal(value, good[i].value);
    }
}

TEST(what_is_not_whole_or_does_not_fit_is_refused)
{
    static const char *const bad[] = {"1.5",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "1e400",
                                      "1e17",
                                      "\"1\"",
                                      "true",
                                      "",
                                      "1e-1",
                                      "99999999999999999999999999"};
    int64_t value = -77;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(er_json_int(slice(bad[i]), &value), -1);
    assert_int_equal(value, -77);
}

TEST(a_number_longer_than_any_need_is_refused)
{
    char text[600];
    double value;

    memset(text, '1', sizeof text);
    assert_int_equal(er_json_double((struct errand_slice){text, sizeof text}, &value),
                     -1);
    assert_int_equal(er_json_double((struct errand_slice){text, 300}, &value), 0);
}

TEST_MAIN()
