/* cron_dst.c: leaps of the clock, by the library; tests/cli/schedule_next.c is the same
 * by the command. */
#include "cron_test.h"

#include "cron_table.h"

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

static void check_rows(const struct fires *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_fires(zones, &rows[i]);
}

TEST(seconds_in_a_leap_are_one_slot_and_repeated_ones_fire_once)
{
    ASSERT_ROWS({"Europe/Berlin", "*/20 30 2 * * *", BERLIN_SPRING, "2026-03-29T01:00"},
                {"Europe/Berlin", "0 30 2 * * *", BERLIN_AUTUMN, "2026-10-25T00:30"});
}

TEST(what_matches_in_a_gap_alone_never_fires_for_a_wildcard)
{
    struct er_cron cron = cron_of("*/15 2 25-31 3 */7");

    assert_int_equal(er_cron_next(&cron, zone_of(zones, "Europe/Berlin"),
                                  instant("2026-01-01T00:00:00Z")),
                     ER_CRON_NEVER);
    assert_int_equal(
        er_cron_next(&cron, zone_of(zones, "UTC"), instant("2026-01-01T00:00:00Z")),
        instant("2026-03-29T02:00:00Z"));
}

TEST(the_zone_of_the_host_does_not_matter)
{
    assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
    ASSERT_ROWS({"Europe/Berlin", "30 2 * * *", BERLIN_SPRING, "2026-03-29T01:00"},
                {"UTC", "0 0 * * *", "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z",
                 "2026-03-29T00:00"});
    unsetenv("TZ");
}

TEST_MAIN()
