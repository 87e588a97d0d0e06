/* utf8.c: UTF-8 as RFC 3629 has it. */
#include "support/test.h"

#include "base/utf8.h"

static size_t len_of(const char *text)
{
    return er_utf8_len(text, text + strlen(text));
}

TEST(characters_of_every_length_are_known)
{
    assert_int_equal(len_of("a"), 1);
    assert_int_equal(len_of("\xc2\x80"), 2);
    assert_int_equal(len_of("\xdf\xbf"), 2);
    assert_int_equal(len_of("\xe0\xa0\x80"), 3);
    assert_int_equal(len_of("\xed\x9f\xbf"), 3);
    assert_int_equal(len_of("\xee\x80\x80"), 3);
    assert_int_equal(len_of("\xf0\x90\x80\x80"), 4);
    assert_int_equal(len_of("\xf4\x8f\xbf\xbf"), 4);
}

TEST(what_is_no_character_has_no_length)
{
    const char *bad[] = {
        "\x80",             /* a continuation alone */
        "\xc0\x80",         /* overlong */
        "\xc1\xbf",         /* overlong */
        "\xe0\x9f\xbf",     /* overlong */
        "\xf0\x8f\xbf\xbf", /* overlong */
        "\xed\xa0\x80",     /* a surrogate */
        "\xed\xbf\xbf",     /* a surrogate */
        "\xf4\x90\x80\x80", /* over U+10FFFF */
        "\xf5\x80\x80\x80",
        "\xff",
        "\xc3",         /* cut */
        "\xe2\x82",     /* cut */
        "\xf0\x9f\x98", /* cut */
        "\xc3\x28",
        "\xe2\x28\xa1",
        "\xe2\x82\x28",
        "\xf0\x9f\x98\x28",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(len_of(bad[i]), 0);
}

/* All of Unicode, both ways; a claim about every character needs every character. */
TEST(what_is_written_is_read_back_for_all_characters)
{
    char text[4];

    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        size_t n = er_utf8_put(c, text);
        bool is_surrogate = c >= 0xd800 && c <= 0xdfff;
        if (er_utf8_len(text, text + n) != (is_surrogate ? 0 : n))
            fail_msg("U+%04X", c);
    }
}

TEST(a_text_is_good_when_all_its_characters_are)
{
    assert_true(er_utf8_check("h\xc3\xa9llo", 6));
    assert_false(er_utf8_check("h\xc3", 2));
    assert_true(er_utf8_check("", 0));
    assert_true(er_utf8_check(NULL, 0));
    assert_true(er_utf8_check("a\0b", 3));
}

TEST(a_text_is_cut_between_characters)
{
    assert_int_equal(er_utf8_cut("abc", 3, 5), 3);
    assert_int_equal(er_utf8_cut("abc", 3, 3), 3);
    assert_int_equal(er_utf8_cut("abc", 3, 2), 2);
    assert_int_equal(er_utf8_cut("a\xc3\xa9z", 4, 2), 1);
    assert_int_equal(er_utf8_cut("a\xc3\xa9z", 4, 3), 3);
    assert_int_equal(er_utf8_cut("\xf0\x9f\x98\x80", 4, 3), 0);
}

TEST(what_is_not_utf8_is_cut_anywhere)
{
    assert_int_equal(er_utf8_cut("\x80\x80\x80\x80\x80\x80", 6, 5), 5);
}

TEST_MAIN()
