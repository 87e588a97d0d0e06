/* schedule_plan.c: which slots fire, and which are left out. */
#include "claims.h"
#include "core/clock.h"
#include "core/schedule.h"
#include "core/zone.h"

static struct errand_arena *arena;
static struct er_zones *zones;
static struct errand_error err;

static int setup(void **state)
{
    (void)state;
    arena = er_arena_new();
    zones = er_zones_new(NULL);
    return arena && zones ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    er_zones_free(zones);
    er_arena_free(arena);
    return 0;
}
TEST_FIXTURE(setup, teardown)

static int64_t at(const char *text)
{
    int64_t ms;

    assert_int_equal(er_time_parse(text, &ms), 0);
    return ms;
}

static struct er_schedule_when when(const char *cron, enum errand_missed missed)
{
    struct er_schedule_when w = {.name = "x", .missed = missed};

    assert_works(er_cron_parse(cron, &w.cron, &err), err);
    assert_works(er_zones_get(zones, "UTC", &w.zone, &err), err);
    return w;
}

/* A scheduler that was down from `base` to `now`. */
static struct er_schedule_late late(const struct er_schedule_when *w, const char *base,
                                    const char *now)
{
    struct er_schedule_late ret;

    assert_works(er_schedule_late(w, at(base), at(now), arena, &ret, &err), err);
    return ret;
}

TEST(a_slot_that_is_a_minute_late_is_not_missed)
{
    struct er_schedule_when w = when("*/5 * * * *", ERRAND_MISSED_SKIP);

    assert_int_equal(
        late(&w, "2026-03-01T10:00:00Z", "2026-03-01T10:05:59.999Z").missed_n, 0);
    assert_int_equal(late(&w, "2026-03-01T10:00:00Z", "2026-03-01T10:06:00Z").missed_n,
                     1);
}

TEST(nothing_is_late_before_its_time)
{
    struct er_schedule_when w = when("*/5 * * * *", ERRAND_MISSED_ALL);

    assert_int_equal(late(&w, "2026-03-01T10:00:00Z", "2026-03-01T10:03:00Z").missed_n,
                     0);
    /* the clock was put back */
    assert_int_equal(late(&w, "2026-03-01T10:00:00Z", "2026-03-01T08:00:00Z").missed_n,
                     0);
}

TEST(skip_records_all_and_fires_none)
{
    struct er_schedule_when w = when("*/5 * * * *", ERRAND_MISSED_SKIP);
    struct er_schedule_late l = late(&w, "2026-03-01T10:00:00Z", "2026-03-01T13:02:00Z");

    assert_int_equal(l.missed_n, 36);
    assert_int_equal(l.record_n, 36);
    assert_int_equal(l.record_ms, at("2026-03-01T13:00:00Z"));
    assert_int_equal(l.slots_n, 0);
    assert_int_equal(l.first_ms, at("2026-03-01T10:05:00Z"));
    assert_int_equal(l.last_ms, at("2026-03-01T13:00:00Z"));
}

TEST(once_records_all_but_the_last_and_fires_that)
{
    struct er_schedule_when w = when("*/5 * * * *", ERRAND_MISSED_ONCE);
    struct er_schedule_late l = late(&w, "2026-03-01T10:00:00Z", "2026-03-01T13:02:00Z");

    assert_int_equal(l.missed_n, 36);
    assert_int_equal(l.record_n, 35);
    assert_int_equal(l.record_ms, at("2026-03-01T12:55:00Z"));
    assert_int_equal(l.slots_n, 1);
    assert_int_equal(l.slots[0], at("2026-03-01T13:00:00Z"));
}

TEST(once_fires_a_single_missed_slot_and_records_nothing)
{
    struct er_schedule_when w = when("@daily", ERRAND_MISSED_ONCE);
    struct er_schedule_late l = late(&w, "2026-03-01T10:00:00Z", "2026-03-02T07:00:00Z");

    assert_int_equal(l.missed_n, 1);
    assert_int_equal(l.record_n, 0);
    assert_int_equal(l.slots_n, 1);
}

TEST(once_leaves_it_to_a_slot_that_is_on_time)
{
    struct er_schedule_when w = when("*/5 * * * *", ERRAND_MISSED_ONCE);
    struct er_schedule_late l = late(&w, "2026-03-01T10:00:00Z", "2026-03-01T13:00:30Z");

    assert_int_equal(l.missed_n, 35);
    assert_int_equal(l.record_n, 35);
    assert_int_equal(l.slots_n, 0);
}

TEST(all_fires_each)
{
    struct er_schedule_when w = when("*/5 * * * *", ERRAND_MISSED_ALL);
    struct er_schedule_late l = late(&w, "2026-03-01T10:00:00Z", "2026-03-01T13:02:00Z");

    assert_int_equal(l.missed_n, 36);
    assert_int_equal(l.record_n, 0);
    assert_int_equal(l.slots_n, 36);
    assert_int_equal(l.slots[0], at("2026-03-01T10:05:00Z"));
    assert_int_equal(l.slots[35], at("2026-03-01T13:00:00Z"));
}

TEST(all_fires_the_last_hundred_and_records_the_rest_at_once)
{
    struct er_schedule_when w = when("*/5 * * * *", ERRAND_MISSED_ALL);
    struct er_schedule_late l = late(&w, "2026-03-01T10:00:00Z", "2026-03-31T10:02:00Z");

    assert_int_equal(l.missed_n, 30 * 24 * 12);
    assert_int_equal(l.record_n, 30 * 24 * 12 - 100);
    assert_int_equal(l.slots_n, 100);
    assert_int_equal(l.slots[99], at("2026-03-31T10:00:00Z"));
    assert_int_equal(l.record_ms, l.slots[0] - 300000);
    w.missed_max = 7;
    assert_int_equal(late(&w, "2026-03-01T10:00:00Z", "2026-03-31T10:02:00Z").slots_n, 7);
}

TEST(years_of_seconds_are_bounded_work)
{
    struct er_schedule_when w = when("* * * * * *", ERRAND_MISSED_ALL);
    int64_t start_ms = er_clock_mono_ms(NULL);
    struct er_schedule_late l = late(&w, "2006-03-01T10:00:00Z", "2026-03-31T10:02:00Z");

    assert_int_equal(l.missed_n, ER_SCHEDULE_COUNT_MOST);
    assert_int_equal(l.slots_n, 100);
    assert_int_equal(l.slots[99], at("2026-03-31T10:01:00Z"));
    printf("  counted %d slots in %lld ms\n", ER_SCHEDULE_COUNT_MOST,
           (long long)(er_clock_mono_ms(NULL) - start_ms));
}

TEST(without_jitter_a_slot_is_due_when_it_is)
{
    struct er_schedule_when w = when("@daily", ERRAND_MISSED_ONCE);

    assert_int_equal(er_schedule_due(&w, 1234000), 1234000);
}

TEST(jitter_is_the_same_for_a_name_and_a_slot_and_else_spread)
{
    struct er_schedule_when w = when("@daily", ERRAND_MISSED_ONCE), other = w;
    int early = 0, late_n = 0, same = 0;

    w.jitter_ms = other.jitter_ms = 60000;
    other.name = "y";
    for (int64_t slot = 0; slot < 1000; slot++) {
        int64_t late_ms = er_schedule_due(&w, slot * 60000) - slot * 60000;
        assert_true(late_ms >= 0 && late_ms <= 60000);
        assert_int_equal(er_schedule_due(&w, slot * 60000) - slot * 60000, late_ms);
        early += late_ms < 20000;
        late_n += late_ms > 40000;
        same += late_ms == er_schedule_due(&other, slot * 60000) - slot * 60000;
    }
    assert_true(early > 250 && early < 420);
    assert_true(late_n > 250 && late_n < 420);
    assert_true(same < 5);
}

TEST(a_slot_that_its_jitter_holds_back_is_not_late)
{
    struct er_schedule_when w = when("@hourly", ERRAND_MISSED_SKIP);

    w.jitter_ms = 600000;
    assert_int_equal(late(&w, "2026-03-01T10:30:00Z", "2026-03-01T11:10:59Z").missed_n,
                     0);
    assert_int_equal(late(&w, "2026-03-01T10:30:00Z", "2026-03-01T11:11:00Z").missed_n,
                     1);
}

TEST_MAIN()
