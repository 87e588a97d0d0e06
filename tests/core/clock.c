/* clock.c: the clock, times and durations as text. */
#include "core/clock.h"

#include <time.h>

#include "claims.h"

TEST(a_fixed_clock_stands_still_for_all_three)
{
    struct er_clock clock = {.fixed_ms = 1234};

    assert_int_equal(er_clock_wall_ms(&clock), 1234);
    assert_int_equal(er_clock_mono_ms(&clock), 1234);
    assert_int_equal(er_clock_boot_ms(&clock), 1234);
}

TEST(the_real_clock_is_the_systems)
{
    struct er_clock real = {0};
    int64_t before = (int64_t)time(NULL) * 1000;
    int64_t boot = er_clock_boot_ms(NULL), mono = er_clock_mono_ms(NULL);

    assert_true(er_clock_wall_ms(NULL) >= before);
    assert_true(er_clock_wall_ms(&real) < before + 600000);
    assert_true(er_clock_boot_ms(&real) >= boot);
    assert_true(er_clock_mono_ms(&real) >= mono);
}

static void assert_time(const char *text, int64_t expected)
{
    int64_t ms = -77;

    if (er_time_parse(text, &ms) < 0)
        fail_msg("'%s' was refused", text);
    assert_int_equal(ms, expected);
}

TEST(times_are_written_in_utc_with_milliseconds)
{
    char buf[32];

    assert_string_equal(er_time_format(0, buf, sizeof buf), "1970-01-01T00:00:00.000Z");
    assert_string_equal(er_time_format(INT64_C(1795499010123), buf, sizeof buf),
                        "2026-11-24T05:43:30.123Z");
    assert_string_equal(er_time_format(-1, buf, sizeof buf), "1969-12-31T23:59:59.999Z");
    assert_string_equal(er_time_format(INT64_C(951782400000), buf, sizeof buf),
                        "2000-02-29T00:00:00.000Z");
}

TEST(the_ends_of_time_fit_the_buffer)
{
    char buf[32];

    assert_string_equal(er_time_format(INT64_MAX, buf, sizeof buf),
                        "292278994-08-17T07:12:55.807Z");
    assert_string_equal(er_time_format(INT64_MIN, buf, sizeof buf),
                        "-292275055-05-16T16:47:04.192Z");
}

TEST(offsets_fractions_and_bare_dates_are_read)
{
    assert_time("1970-01-01", 0);
    assert_time("2026-11-24T05:43:30Z", INT64_C(1795499010000));
    assert_time("2026-11-24T05:43:30.123Z", INT64_C(1795499010123));
    assert_time("2026-11-24t05:43:30.123456789z", INT64_C(1795499010123));
    assert_time("2026-11-24 05:43:30.1Z", INT64_C(1795499010100));
    assert_time("2026-11-24T07:13:30+01:30", INT64_C(1795499010000));
    assert_time("2026-11-23T23:43:30-06:00", INT64_C(1795499010000));
    assert_time("0000-01-01", INT64_C(-62167219200000));
    assert_time("9999-12-31T23:59:59.999Z", INT64_C(253402300799999));
}

TEST(a_leap_second_is_the_first_of_the_next_minute)
{
    assert_time("2016-12-31T23:59:60Z", INT64_C(1483228800000));
}

TEST(what_is_no_time_is_refused)
{
    static const char *const bad[] = {
        "",
        "now",
        "2026",
        "2026-11",
        "2026-11-",
        "2026-13-01",
        "2026-00-01",
        "2026-11-00",
        "2026-11-31",
        "2026-02-29",
        "1900-02-29",
        "2026-11-24T",
        "2026-11-24T05:43:30",
        "2026-11-24T05:43Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T05:60:00Z",
        "2026-11-24T05:43:61Z",
        "2026-11-24T05:43:30.Z",
        "2026-11-24T05:43:30+1:00",
        "2026-11-24T05:43:30+24:00",
        "2026-11-24T05:43:30+01:60",
        "2026-11-24T05:43:30+0100",
        "2026-11-24T05:43:30Zx",
        "2026-11-24T05:43:30 Z",
        "2026-11-24Z",
        "02026-11-24",
        "+2026-11-24",
        " 2026-11-24",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t ms = -77;
        if (er_time_parse(bad[i], &ms) == 0)
            fail_msg("'%s' was read", bad[i]);
        assert_int_equal(ms, -77);
    }
}

/* Every day of 800 years, against a calendar that counts one day after the other. */
TEST(every_day_is_written_and_read_back)
{
    static const int lens[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t ms = INT64_C(-11676096000000); /* 1600-01-01 */
    char buf[32], expected[64];

    for (int year = 1600; year < 2400; year++) {
        int is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (int month = 1; month <= 12; month++)
            for (int day = 1; day <= lens[month - 1] + (is_leap && month == 2); day++) {
                int64_t back;
                snprintf(expected, sizeof expected, "%04d-%02d-%02dT00:00:00.000Z", year,
                         month, day);
                assert_string_equal(er_time_format(ms, buf, sizeof buf), expected);
                assert_int_equal(er_time_parse(buf, &back), 0);
                assert_int_equal(back, ms);
                ms += 86400000;
            }
    }
}

TEST(durations_have_units_and_fractions)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"60", 60000},
        {"0", 0},
        {"1.5s", 1500},
        {"10m", 600000},
        {"2h", 7200000},
        {"1d", 86400000},
        {"2w", 1209600000},
        {"500ms", 500},
        {"0.25", 250},
        {"0.0004", 0},
        {"1.5h", 5400000},
        {"007", 7000},
        {"9223372036854775ms", INT64_C(9223372036854775)},
        {"0.1234567890123456789d", 10666666},
    };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t ms = -77;
        if (er_duration_parse(good[i].text, &ms) < 0)
            fail_msg("'%s' was refused", good[i].text);
        assert_int_equal(ms, good[i].ms);
    }
}

TEST(what_is_no_duration_is_refused)
{
    static const char *const bad[] = {
        "",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1 s",
        "s",
        ".5",
        "1.",
        "1.s",
        "1x",
        "1mm",
        "1e3",
        "inf",
        "nan",
        "0x10",
        "1h30m",
        "9223372036854775807",
        "99999999999999999999",
        "999999999999999d",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t ms = -77;
        if (er_duration_parse(bad[i], &ms) == 0)
            fail_msg("'%s' was read", bad[i]);
        assert_int_equal(ms, -77);
    }
}

TEST_MAIN()
