/* cron_table.h: where clocks are put forward or back, as tests that whoever includes this
 * takes over: check_rows() lists what fires by its own means and compares. Each row was
 * computed with another reader of zone files, and is the same under every tzdata of
 * Debian 12. */
#ifndef ER_TESTS_CORE_CRON_TABLE_H
#define ER_TESTS_CORE_CRON_TABLE_H

#include "core/fires.h"
#include "support/test.h"

static void check_rows(const struct fires *rows, size_t n);

#define ASSERT_ROWS(...)                                 \
    do {                                                 \
        const struct fires rows_[] = {__VA_ARGS__};      \
        check_rows(rows_, sizeof rows_ / sizeof *rows_); \
    } while (0)

/* Days of Berlin, in UTC. */
#define BERLIN_SPRING "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z"
#define BERLIN_AUTUMN "2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z"

TEST(berlin_leaps_over_two_and_a_fixed_slot_fires_after_the_leap)
{
    ASSERT_ROWS({"Europe/Berlin", "30 2 * * *", BERLIN_SPRING, "2026-03-29T01:00"},
                {"Europe/Berlin", "0 3 * * *", BERLIN_SPRING, "2026-03-29T01:00"},
                {"Europe/Berlin", "30 2,3 * * *", BERLIN_SPRING,
                 "2026-03-29T01:00 2026-03-29T01:30"});
}

TEST(berlin_leaps_over_two_and_a_wildcard_follows_real_time)
{
    ASSERT_ROWS({"Europe/Berlin", "*/30 * * * *", "2026-03-29T00:00:00Z",
                 "2026-03-29T01:59:59Z",
                 "2026-03-29T00:00 2026-03-29T00:30 2026-03-29T01:00 2026-03-29T01:30"},
                {"Europe/Berlin", "*/15 2 * * *", BERLIN_SPRING, ""},
                {"Europe/Berlin", "30 * * * *", "2026-03-29T00:00:00Z",
                 "2026-03-29T01:59:59Z", "2026-03-29T00:30 2026-03-29T01:30"});
}

TEST(berlin_repeats_two_and_a_fixed_slot_fires_once)
{
    ASSERT_ROWS({"Europe/Berlin", "30 2 * * *", BERLIN_AUTUMN, "2026-10-25T00:30"},
                {"Europe/Berlin", "0 2 * * *", BERLIN_AUTUMN, "2026-10-25T00:00"},
                {"Europe/Berlin", "15 3 * * *", BERLIN_AUTUMN, "2026-10-25T02:15"});
}

TEST(berlin_repeats_two_and_a_wildcard_fires_in_both)
{
    ASSERT_ROWS({"Europe/Berlin", "30 * * * *", "2026-10-25T00:00:00Z",
                 "2026-10-25T01:59:59Z", "2026-10-25T00:30 2026-10-25T01:30"},
                {"Europe/Berlin", "*/15 2 * * *", BERLIN_AUTUMN,
                 "2026-10-25T00:00 2026-10-25T00:15 2026-10-25T00:30 2026-10-25T00:45 "
                 "2026-10-25T01:00 2026-10-25T01:15 2026-10-25T01:30 2026-10-25T01:45"});
}

TEST(new_york_leaps_over_two_and_repeats_one)
{
    ASSERT_ROWS({"America/New_York", "30 2 * * *", "2026-03-08T05:00:00Z",
                 "2026-03-09T03:59:59Z", "2026-03-08T07:00"},
                {"America/New_York", "30 1 * * *", "2026-11-01T04:00:00Z",
                 "2026-11-02T04:59:59Z", "2026-11-01T05:30"},
                {"America/New_York", "0 2 * * *", "2026-11-01T04:00:00Z",
                 "2026-11-02T04:59:59Z", "2026-11-01T07:00"});
}

TEST(lord_howe_leaps_over_half_an_hour)
{
#define SPRING "2026-10-03T13:30:00Z", "2026-10-04T12:59:59Z"
    ASSERT_ROWS({"Australia/Lord_Howe", "15 2 * * *", SPRING, "2026-10-03T15:30"},
                {"Australia/Lord_Howe", "45 2 * * *", SPRING, "2026-10-03T15:45"},
                {"Australia/Lord_Howe", "0 * * * *", "2026-10-03T14:00:00Z",
                 "2026-10-03T16:30:00Z", "2026-10-03T14:30 2026-10-03T16:00"});
#undef SPRING
}

TEST(lord_howe_repeats_half_an_hour)
{
#define AUTUMN "2026-04-04T13:00:00Z", "2026-04-05T13:29:59Z"
    ASSERT_ROWS({"Australia/Lord_Howe", "45 1 * * *", AUTUMN, "2026-04-04T14:45"},
                {"Australia/Lord_Howe", "45 * * * *", "2026-04-04T14:00:00Z",
                 "2026-04-04T16:30:00Z",
                 "2026-04-04T14:45 2026-04-04T15:15 2026-04-04T16:15"},
                {"Australia/Lord_Howe", "0 * * * *", "2026-04-04T14:00:00Z",
                 "2026-04-04T16:00:00Z", "2026-04-04T14:00 2026-04-04T15:30"},
                {"Australia/Lord_Howe", "15 2 * * *", AUTUMN, "2026-04-04T15:45"});
#undef AUTUMN
}

TEST(santiago_and_cairo_leap_over_midnight)
{
    ASSERT_ROWS({"America/Santiago", "0 0 * * *", "2026-09-06T00:00:00Z",
                 "2026-09-07T02:59:59Z", "2026-09-06T04:00"},
                {"America/Santiago", "@daily", "2026-09-06T00:00:00Z",
                 "2026-09-07T02:59:59Z", "2026-09-06T04:00"},
                {"Africa/Cairo", "0 0 * * *", "2026-04-22T23:00:00Z",
                 "2026-04-24T20:59:59Z", "2026-04-23T22:00"});
}

TEST(santiago_repeats_the_hour_before_midnight)
{
    ASSERT_ROWS({"America/Santiago", "30 23 * * *", "2026-04-04T12:00:00Z",
                 "2026-04-05T12:00:00Z", "2026-04-05T02:30"},
                {"America/Santiago", "0 0 * * *", "2026-04-04T12:00:00Z",
                 "2026-04-05T12:00:00Z", "2026-04-05T04:00"});
}

TEST(troll_leaps_over_two_hours_and_repeats_them)
{
#define SPRING "2026-03-29T00:00:00Z", "2026-03-29T21:59:59Z"
#define AUTUMN "2026-10-24T22:00:00Z", "2026-10-25T23:59:59Z"
    ASSERT_ROWS({"Antarctica/Troll", "30 1 * * *", SPRING, "2026-03-29T01:00"},
                {"Antarctica/Troll", "30 2 * * *", SPRING, "2026-03-29T01:00"},
                {"Antarctica/Troll", "30 1 * * *", AUTUMN, "2026-10-24T23:30"},
                {"Antarctica/Troll", "30 2 * * *", AUTUMN, "2026-10-25T00:30"});
#undef SPRING
#undef AUTUMN
}

TEST(casablanca_puts_the_clock_back_for_ramadan_and_forward_after_it)
{
    ASSERT_ROWS({"Africa/Casablanca", "30 2 * * *", "2026-02-14T23:00:00Z",
                 "2026-02-15T23:59:59Z", "2026-02-15T01:30"},
                {"Africa/Casablanca", "30 2 * * *", "2026-03-22T00:00:00Z",
                 "2026-03-22T22:59:59Z", "2026-03-22T02:00"});
}

TEST(a_day_that_did_not_exist_is_a_correction_and_its_slot_is_lost)
{
    ASSERT_ROWS({"Pacific/Apia", "0 12 30 12 *", "2011-12-01T00:00:00Z",
                 "2012-02-01T00:00:00Z", ""},
                {"Pacific/Apia", "0 12 29-31 12 *", "2011-12-01T00:00:00Z",
                 "2012-02-01T00:00:00Z", "2011-12-29T22:00 2011-12-30T22:00"});
}

/* Casey went from +8 to +11 in 2009: three hours, no longer "less than three". */
TEST(a_leap_of_three_hours_is_a_correction)
{
    ASSERT_ROWS({"Antarctica/Casey", "30 3 18 10 *", "2009-10-01T00:00:00Z",
                 "2009-11-01T00:00:00Z", ""});
}

TEST(dublin_with_its_negative_summer_time_is_as_london)
{
    ASSERT_ROWS({"Europe/Dublin", "30 1 * * *", "2026-03-28T12:00:00Z",
                 "2026-03-30T12:00:00Z", "2026-03-29T01:00 2026-03-30T00:30"},
                {"Europe/London", "30 1 * * *", "2026-03-28T12:00:00Z",
                 "2026-03-30T12:00:00Z", "2026-03-29T01:00 2026-03-30T00:30"},
                {"Europe/Dublin", "30 1 * * *", "2026-10-24T12:00:00Z",
                 "2026-10-26T12:00:00Z", "2026-10-25T00:30 2026-10-26T01:30"});
}

TEST(eight_in_new_york_moves_with_its_summer_time)
{
    ASSERT_ROWS({"America/New_York", "0 8 * * *", "2026-03-07T00:00:00Z",
                 "2026-03-08T23:00:00Z", "2026-03-07T13:00 2026-03-08T12:00"});
}

TEST(after_2038_the_rule_at_the_end_of_the_file_holds)
{
    ASSERT_ROWS({"Europe/Berlin", "30 2 * * *", "2050-03-26T12:00:00Z",
                 "2050-03-28T12:00:00Z", "2050-03-27T01:00 2050-03-28T00:30"},
                {"America/New_York", "0 8 1 1,7 *", "2099-12-31T00:00:00Z",
                 "2100-12-31T00:00:00Z", "2100-01-01T13:00 2100-07-01T12:00"},
                {"UTC", "14 3 19 1 *", "2038-01-01T00:00:00Z", "2039-12-31T00:00:00Z",
                 "2038-01-19T03:14 2039-01-19T03:14"});
}

#endif
