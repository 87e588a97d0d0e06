/* cron.c: what is an expression and what is not, and the calendar without any zone. */
#include "cron_test.h"

#include <time.h>

static struct er_zones *zones;

static int setup(void **state)
{
    (void)state;
    zones = er_zones_new(NULL);
    return zones ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    er_zones_free(zones);
    return 0;
}

TEST_FIXTURE(setup, teardown)

/* In UTC, from the beginning of 2026 to its end. */
static int64_t in_2026(const char *text)
{
    struct er_cron cron = cron_of(text);

    return er_cron_count(&cron, zone_of(zones, NULL), instant("2025-12-31T23:59:59Z"),
                         instant("2026-12-31T23:59:59Z"), 1000000);
}

static void assert_next(const char *text, const char *after, const char *expected)
{
    struct er_cron cron = cron_of(text);
    char got[32];

    er_time_format(er_cron_next(&cron, zone_of(zones, NULL), instant(after)), got,
                   sizeof got);
    assert_string_equal(got, expected);
}

static void assert_same(const char *a, const char *b)
{
    struct er_cron x, y;

    memset(&x, 0, sizeof x);
    memset(&y, 0, sizeof y);
    x = cron_of(a);
    y = cron_of(b);
    assert_true(x.seconds == y.seconds && x.minutes == y.minutes && x.hours == y.hours &&
                x.days == y.days && x.months == y.months && x.weekdays == y.weekdays);
}

static void assert_refused(const char *text, const char *expected)
{
    struct er_cron cron = {.days = 7};
    struct errand_error err = {0};

    assert_error(er_cron_parse(text, &cron, &err), err, ERRAND_EINVAL, expected);
    assert_int_equal(cron.days, 7); /* written only on success */
}

TEST(the_31st_comes_seven_times_a_year)
{
    assert_fires(zones, &(struct fires){"UTC", "0 0 31 * *", "2025-12-31T12:00:00Z",
                                        "2027-01-01T00:00:00Z",
                                        "2026-01-31T00:00 2026-03-31T00:00 "
                                        "2026-05-31T00:00 2026-07-31T00:00 "
                                        "2026-08-31T00:00 2026-10-31T00:00 "
                                        "2026-12-31T00:00"});
}

TEST(the_29th_of_february_waits_for_a_leap_year)
{
    assert_next("0 0 29 2 *", "2026-03-01T00:00:00Z", "2028-02-29T00:00:00.000Z");
    assert_next("0 0 29 2 *", "2028-02-29T00:00:00Z", "2032-02-29T00:00:00.000Z");
    assert_next("0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00.000Z");
}

TEST(what_never_fires_is_refused)
{
#define NEVER \
    "never fires: day-of-month field: no month of the month field has such a day"
    assert_refused("0 0 30 2 *", "cron '0 0 30 2 *': " NEVER);
    assert_refused("0 0 31 4 *", "cron '0 0 31 4 *': " NEVER);
    assert_refused("30 2 31 4 *", "cron '30 2 31 4 *': " NEVER);
    assert_refused("0 0 31 2,4,6 *", "cron '0 0 31 2,4,6 *': " NEVER);
    assert_refused("0 0 30 2 */2", "cron '0 0 30 2 */2': " NEVER);
}

TEST(two_plain_day_fields_are_or)
{
    assert_int_equal(in_2026("0 0 13 * 5"), 61);
    assert_int_equal(in_2026("0 0 1,15 * 5"), 74);
    assert_int_equal(in_2026("0 9 1-31 * 1"), 365);
    assert_fires(zones, &(struct fires){"UTC", "0 0 31 2 5", "2026-01-01T00:00:00Z",
                                        "2026-12-31T23:59:59Z",
                                        "2026-02-06T00:00 2026-02-13T00:00 "
                                        "2026-02-20T00:00 2026-02-27T00:00"});
}

TEST(a_star_at_the_beginning_of_a_day_field_makes_it_and)
{
    assert_int_equal(in_2026("0 9 */2 * 1"), 26);
    assert_fires(zones, &(struct fires){"UTC", "0 9 */2 * 1", "2026-01-01T00:00:00Z",
                                        "2026-02-14T00:00:00Z",
                                        "2026-01-05T09:00 2026-01-19T09:00 "
                                        "2026-02-09T09:00"});
    assert_int_equal(in_2026("0 0 1 * */2"), 8);
}

TEST(sunday_is_0_and_7)
{
    assert_same("* * * * 7", "* * * * 0");
    assert_same("0 0 * * 5-7", "0 0 * * 0,5,6");
    assert_same("0 0 * * 0-7", "0 0 * * *");
    assert_same("0 0 * * FRI-SUN", "0 0 * * 5-7");
    assert_same("0 0 * * sun-tue", "0 0 * * 0-2");
}

TEST(names_lists_ranges_and_steps_are_sets)
{
    assert_same("*/15 9-17 * * MON-FRI", "0,15,30,45 9-17 * * 1-5");
    assert_same("5/20 0-23/8 1-31/10 jan,Mar-MAY *", "5,25,45 0,8,16 1,11,21,31 1,3-5 *");
    assert_same(" 0\t8  * * * ", "0 8 * * *");
    assert_same("0 0 8 * * *", "0 8 * * *");
    assert_same("1,1,1-2 007 * * *", "1,2 7 * * *");
    assert_same("*/59 * * * *", "0,59 * * * *");
    assert_same("0 0 * * */7", "0 0 * * 0");
}

TEST(words_stand_for_expressions)
{
    assert_same("@yearly", "0 0 1 1 *");
    assert_same("@annually", "0 0 1 1 *");
    assert_same("@monthly", "0 0 1 * *");
    assert_same("@weekly", "0 0 * * 0");
    assert_same("@daily", "0 0 * * *");
    assert_same("@midnight", "0 0 * * *");
    assert_same("@Hourly", "0 * * * *");
}

TEST(a_wildcard_is_a_minute_or_hour_that_begins_with_a_star)
{
    assert_true(cron_of("*/5 2 * * *").is_wild);
    assert_true(cron_of("30 */2 * * *").is_wild);
    assert_true(cron_of("@hourly").is_wild);
    assert_true(cron_of("0 * 2 * * *").is_wild);
    assert_false(cron_of("0-59 2 * * *").is_wild);
    assert_false(cron_of("* 30 2 * * *").is_wild); /* of seconds */
    assert_false(cron_of("@daily").is_wild);
}

TEST(a_value_out_of_its_field_is_refused)
{
    assert_refused("60 * * * *",
                   "cron '60 * * * *': minute field: 60 is not between 0 and 59");
    assert_refused("61 * * * *",
                   "cron '61 * * * *': minute field: 61 is not between 0 and 59");
    assert_refused("* 24 * * *",
                   "cron '* 24 * * *': hour field: 24 is not between 0 and 23");
    assert_refused("* * 0 * *",
                   "cron '* * 0 * *': day-of-month field: 0 is not between 1 and 31");
    assert_refused("* * * 13 *",
                   "cron '* * * 13 *': month field: 13 is not between 1 and 12");
    assert_refused("* * * * 8",
                   "cron '* * * * 8': day-of-week field: 8 is not between 0 and 7");
    assert_refused("99 * * * * *",
                   "cron '99 * * * * *': second field: 99 is not between 0 and 59");
    assert_refused("4294967296 * * * *", "cron '4294967296 * * * *': minute field: "
                                         "4294967296 is not between 0 and 59");
}

TEST(a_range_or_step_that_is_none_is_refused)
{
    assert_refused("*/0 * * * *",
                   "cron '*/0 * * * *': minute field: a step of 0 never moves");
    assert_refused("5-1 * * * *",
                   "cron '5-1 * * * *': minute field: a range goes backwards");
    assert_refused("1-5/ * * * *",
                   "cron '1-5/ * * * *': minute field: a step is missing after '/'");
    assert_refused("*/90 * * * *", "cron '*/90 * * * *': minute field: a step of 90 is "
                                   "wider than the field, which has 60");
    assert_refused("1- * * * *",
                   "cron '1- * * * *': minute field: a value is missing at its end");
    assert_refused("1,,2 * * * *",
                   "cron '1,,2 * * * *': minute field: a value is missing before ','");
    assert_refused("1, * * * *",
                   "cron '1, * * * *': minute field: a value is missing at its end");
    assert_refused("-1 * * * *",
                   "cron '-1 * * * *': minute field: a value is missing before '-'");
    assert_refused("** * * * *",
                   "cron '** * * * *': minute field: '*' is not understood");
    assert_refused("1-2-3 * * * *",
                   "cron '1-2-3 * * * *': minute field: '-3' is not understood");
}

TEST(a_name_that_is_none_is_refused)
{
    assert_refused("0 0 1 Jan-Foo *", "cron '0 0 1 Jan-Foo *': month field: 'Foo' is no "
                                      "month (JAN to DEC)");
    assert_refused("0 0 * * Someday", "cron '0 0 * * Someday': day-of-week field: "
                                      "'Someday' is no day (SUN to SAT)");
    assert_refused("0 MON * * *", "cron '0 MON * * *': hour field: 'MON' is no number");
    assert_refused("0 0 L * *", "cron '0 0 L * *': day-of-month field: 'L' is no number");
    assert_refused("0 0 ? * *", "cron '0 0 ? * *': day-of-month field: a value is "
                                "missing before '?'");
    assert_refused("0 0 * * 5#2",
                   "cron '0 0 * * 5#2': day-of-week field: '#2' is not understood");
}

TEST(the_number_of_fields_is_5_or_6)
{
#define NEEDS \
    ", and needs 5 (minute hour day-of-month month day-of-week) or 6 (second first)"
    assert_refused("0 8 * *", "cron '0 8 * *': has 4 fields" NEEDS);
    assert_refused("0 0 8 * * * 2026 x", "cron '0 0 8 * * * 2026 x': has 8 fields" NEEDS);
    assert_refused("0 0 8 * * * 2026", "cron '0 0 8 * * * 2026': has 7 fields" NEEDS);
    assert_refused("", "cron '': has 0 fields" NEEDS);
    assert_refused("   ", "cron '   ': has 0 fields" NEEDS);
    assert_refused("hourly", "cron 'hourly': has 1 field" NEEDS);
    assert_refused("@reboot", "cron '@reboot': not one of @yearly @annually @monthly "
                              "@weekly @daily @midnight @hourly");
}

TEST(a_message_shows_no_control_characters_and_is_cut)
{
    char text[300];

    assert_refused("\033[31m * * * *", "cron '?[31m * * * *': minute field: a value is "
                                       "missing before '?'");
    memset(text, '1', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_refused(text,
                   "cron '1111111111111111111111111111111111111111...': longer than "
                   "256 bytes");
}

TEST(the_next_slot_is_after_the_instant_and_never_at_it)
{
    assert_next("0 8 * * *", "2026-03-01T07:59:59.999Z", "2026-03-01T08:00:00.000Z");
    assert_next("0 8 * * *", "2026-03-01T08:00:00.000Z", "2026-03-02T08:00:00.000Z");
    assert_next("0 8 * * *", "2026-03-01T08:00:00.001Z", "2026-03-02T08:00:00.000Z");
    assert_next("*/30 * * * * *", "2026-12-31T23:59:31Z", "2027-01-01T00:00:00.000Z");
    assert_next("* * * * *", "1969-12-31T23:58:59.999Z", "1969-12-31T23:59:00.000Z");
}

TEST(there_is_an_end_of_all_days)
{
    struct er_cron daily = cron_of("@daily");

    assert_int_equal(
        er_cron_next(&daily, zone_of(zones, NULL), instant("9999-12-31T00:00:00Z")),
        ER_CRON_NEVER);
    assert_int_equal(er_cron_next(&daily, zone_of(zones, NULL), INT64_MAX - 1),
                     ER_CRON_NEVER);
    assert_int_equal(er_cron_next(&daily, zone_of(zones, NULL), INT64_MIN),
                     instant("0001-01-01T00:00:00Z"));
}

/* Ten milliseconds are fifty times what the worst of them takes, and it is the time of
 * this thread alone that counts. */
TEST(an_answer_takes_less_than_ten_milliseconds_however_far_away_it_is)
{
    static const struct {
        const char *cron, *zone;
    } far[] = {{"0 0 29 2 *", "Europe/Berlin"},
               {"0 0 29 2 */7", "America/Santiago"},
               {"59 59 23 31 12 */7", "Africa/Casablanca"},
               {"*/15 2 25-31 3 */7", "Europe/Berlin"}}; /* never */
    struct timespec before, after;

    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        struct er_cron cron = cron_of(far[i].cron);
        const struct er_zone *zone = zone_of(zones, far[i].zone);
        int64_t ms;

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
        er_cron_next(&cron, zone, instant("2096-03-01T00:00:00Z"));
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
        ms = (after.tv_sec - before.tv_sec) * 1000 +
             (after.tv_nsec - before.tv_nsec) / 1000000;
        assert_true(ms < 10);
    }
}

TEST(the_latest_slots_come_oldest_first_whatever_lies_before_them)
{
    struct er_cron every5 = cron_of("*/5 * * * *"), second = cron_of("* * * * * *"),
                   rare = cron_of("* * * * 1 *");
    const struct er_zone *utc = zone_of(zones, NULL);
    int64_t slots[100], until = instant("2026-11-24T03:00:00Z");

    assert_int_equal(er_cron_latest(&every5, utc, until - 10800000, until, slots, 100),
                     36);
    assert_int_equal(slots[0], until - 10800000 + 300000);
    assert_int_equal(slots[35], until);
    assert_int_equal(er_cron_latest(&second, utc, 0, until, slots, 3), 3);
    assert_int_equal(slots[0], until - 2000);
    assert_int_equal(slots[2], until);
    assert_int_equal(er_cron_latest(&rare, utc, 0, until, slots, 1), 1);
    assert_int_equal(slots[0], instant("2026-01-31T23:59:59Z"));
    assert_int_equal(er_cron_latest(&rare, utc, slots[0], until, slots, 1), 0);
    assert_int_equal(er_cron_latest(&every5, utc, until, until, slots, 100), 0);
}

TEST(counting_stops_where_it_is_told)
{
    struct er_cron every5 = cron_of("*/5 * * * *");
    const struct er_zone *utc = zone_of(zones, NULL);

    assert_int_equal(er_cron_count(&every5, utc, 0, 10800000, 1000), 36);
    assert_int_equal(er_cron_count(&every5, utc, 0, INT64_MAX - 1, 100), 100);
    assert_int_equal(er_cron_count(&every5, utc, 0, 299999, 100), 0);
}

TEST_MAIN()
