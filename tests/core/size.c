/* size.c: "64KiB" is 65,536. */
#include "core/size.h"

#include "support/test.h"

enum { KIB = 1 << 10, MIB = 1 << 20 };

static int64_t size_of(const char *text)
{
    int64_t bytes = -1;

    return er_size_parse(text, 1, &bytes) < 0 ? -1 : bytes;
}

TEST(sizes_are_read_with_and_without_a_unit)
{
    assert_int_equal(size_of("0"), 0);
    assert_int_equal(size_of("65536"), 65536);
    assert_int_equal(size_of("65536B"), 65536);
    assert_int_equal(size_of("64k"), 64 * KIB);
    assert_int_equal(size_of("64KiB"), 64 * KIB);
    assert_int_equal(size_of("2M"), 2 * MIB);
    assert_int_equal(size_of("1.5 MiB"), 3 * MIB / 2);
    assert_int_equal(size_of("0.000001G"), 1073);
    assert_int_equal(size_of("1GiB"), 1024 * (int64_t)MIB);
}

TEST(a_bare_number_counts_in_the_units_of_its_place)
{
    int64_t bytes;

    assert_int_equal(er_size_parse("512", MIB, &bytes), 0);
    assert_int_equal(bytes, 512 * (int64_t)MIB);
    assert_int_equal(er_size_parse("512k", MIB, &bytes), 0);
    assert_int_equal(bytes, 512 * KIB);
}

TEST(what_is_no_size_is_refused_and_nothing_is_written)
{
    static const char *const bad[] = {"",
                                      "k",
                                      "-1",
                                      "+1",
                                      "1.",
                                      ".5",
                                      "1,5",
                                      "1e3",
                                      "1 . 2",
                                      "1kb",
                                      "1 k ",
                                      "0x10",
                                      "9223372036854775808",
                                      "9223372036854775807k",
                                      "9007199254740992k"};
    int64_t bytes = 7;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(er_size_parse(bad[i], 1, &bytes), -1);
        assert_int_equal(bytes, 7);
    }
    assert_int_equal(er_size_parse("9223372036854775807", 1, &bytes), 0);
    assert_int_equal(bytes, INT64_MAX);
}

TEST_MAIN()
