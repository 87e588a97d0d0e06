/* schedule.c, schedule_json.c: what a schedule may say, and its way through the store. */
#include "core/schedule.h"
#include "base/buf.h"
#include "claims.h"

static struct errand_arena *arena;
static struct errand_error err;

static int setup(void **state)
{
    (void)state;
    return (arena = er_arena_new()) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    er_arena_free(arena);
    return 0;
}
TEST_FIXTURE(setup, teardown)

static struct er_schedule said(const char *const *pairs)
{
    struct er_schedule s = {0};

    for (; pairs[0]; pairs += 2)
        assert_works(er_schedule_set(&s, pairs[0], pairs[1], arena, &err), err);
    return s;
}

static const char *encoded(const struct er_schedule *s)
{
    struct er_buf buf;
    const char *text;

    er_buf_init(&buf, 1 << 16);
    assert_int_equal(er_schedule_encode(s, &buf), 0);
    text = errand_arena_copy(arena, buf.ptr, buf.len);
    er_buf_done(&buf);
    return text;
}

static void refuses(const char *key, const char *value, const char *message)
{
    struct er_schedule s = {0};

    assert_error(er_schedule_set(&s, key, value, arena, &err), err, ERRAND_EINVAL,
                 message);
    assert_int_equal(s.options.has, 0);
    assert_null(s.cron);
}

TEST(a_schedule_survives_its_way_through_the_store)
{
    const char *const pairs[] = {"cron",       "0 8 * * *",
                                 "zone",       "Europe/Berlin",
                                 "job",        "daily-report",
                                 "data",       "{\"kind\": \"daily\"}",
                                 "overlap",    "one-waiting",
                                 "missed",     "all",
                                 "missed-max", "7",
                                 "jitter",     "2m",
                                 "queue",      "reports",
                                 "tags",       "a,b",
                                 NULL};
    struct er_schedule s = said(pairs), back;

    s.from = ER_FROM_CONFIG;
    s.owner = "/srv/shop";
    s.since_ms = 1764547200123;
    assert_works(er_schedule_check(&s, &err), err);
    assert_string_equal(
        encoded(&s),
        "{\"cron\":\"0 8 * * *\",\"zone\":\"Europe/Berlin\",\"job\":\"daily-report\","
        "\"data\":{\"kind\": \"daily\"},\"overlap\":\"one-waiting\",\"missed\":\"all\","
        "\"missed_max\":7,\"jitter_ms\":120000,\"options\":{\"queue\":\"reports\","
        "\"tags\":[\"a\",\"b\"]},\"from\":\"config\",\"owner\":\"/srv/shop\","
        "\"since\":1764547200123}");
    assert_works(er_schedule_decode(slice(encoded(&s)), arena, &back, &err), err);
    assert_string_equal(encoded(&back), encoded(&s));
    assert_slice(back.data, "{\"kind\": \"daily\"}");
    assert_int_equal(back.overlap, ERRAND_OVERLAP_ONE_WAITING);
    assert_int_equal(back.missed, ERRAND_MISSED_ALL);
    assert_int_equal(back.from, ER_FROM_CONFIG);
}

TEST(what_is_not_said_is_not_stored)
{
    struct er_schedule s = {.cron = "@daily"};

    assert_string_equal(encoded(&s), "{\"cron\":\"@daily\",\"from\":\"job\"}");
}

TEST(the_time_it_was_put_is_no_difference)
{
    struct er_schedule a = {.cron = "@daily", .since_ms = 1}, b = a;

    b.since_ms = 2;
    assert_true(er_schedule_same(&a, &b));
    b.zone = "Europe/Berlin";
    assert_false(er_schedule_same(&a, &b));
}

TEST(what_a_newer_errand_writes_is_passed_over)
{
    struct er_schedule s;

    assert_works(er_schedule_decode(
                     slice("{\"cron\":\"@daily\",\"moon\":{\"phase\":[1,2]},\"zone\":"
                           "\"UTC\"}"),
                     arena, &s, &err),
                 err);
    assert_string_equal(s.zone, "UTC");
}

TEST(what_is_stored_and_of_the_wrong_type_is_an_error)
{
    static const struct {
        const char *json, *message;
    } bad[] = {
        {"[]", "what is stored of a schedule is not a JSON object"},
        {"{\"cron\":5}", "\"cron\" of a schedule is not a string"},
        {"{\"overlap\":\"maybe\"}", "\"overlap\" of a schedule is not a word it knows"},
        {"{\"since\":-1}", "\"since\" of a schedule is not a whole number"},
        {"{\"zone\":\"a\\u0000b\"}",
         "\"zone\" of a schedule is not a string without NUL"},
    };
    struct er_schedule s;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_error(er_schedule_decode(slice(bad[i].json), arena, &s, &err), err,
                     ERRAND_EINVAL, bad[i].message);
    assert_int_equal(er_schedule_decode(slice("{"), arena, &s, &err), ERRAND_EJSON);
}

TEST(bad_values_are_refused_with_what_is_wrong)
{
    refuses("overlap", "often", "overlap: 'often' is not skip, allow or one-waiting");
    refuses("missed", "twice", "missed: 'twice' is not once, skip or all");
    refuses("missed_max", "0", "missed_max: '0' is not a number from 1 to 10000");
    refuses("missed_max", "10001", "missed_max: '10001' is not a number from 1 to 10000");
    refuses("missed_max", "", "missed_max: '' is not a number from 1 to 10000");
    refuses("jitter", "25h",
            "jitter: '25h' is not a time of at most a day; write 30, 90s or 10m");
    refuses("jitter", "-5",
            "jitter: '-5' is not a time of at most a day; write 30, 90s or 10m");
}

TEST(a_cron_line_that_is_wrong_or_never_fires_is_refused)
{
    struct er_schedule s = {0};

    assert_int_equal(er_schedule_set(&s, "cron", "61 * * * *", arena, &err),
                     ERRAND_EINVAL);
    assert_non_null(strstr(err.message, "minute field"));
    assert_int_equal(er_schedule_set(&s, "cron", "30 2 31 4 *", arena, &err),
                     ERRAND_EINVAL);
    assert_non_null(strstr(err.message, "never fires"));
    assert_error(er_schedule_check(&s, &err), err, ERRAND_EINVAL,
                 "cron is not said; write \"0 8 * * *\"");
}

TEST(a_zone_that_is_not_known_is_refused)
{
    struct er_schedule s = {.cron = "@daily", .zone = "Europe/Atlantis"};

    assert_int_equal(er_schedule_check(&s, &err), ERRAND_EINVAL);
    assert_non_null(strstr(err.message, "Europe/Atlantis"));
}

TEST(a_cap_needs_the_policy_that_it_caps)
{
    struct er_schedule s = {.cron = "@daily", .missed_max = 5};

    assert_int_equal(er_schedule_check(&s, &err), ERRAND_EINVAL);
    s.missed = ERRAND_MISSED_ALL;
    assert_works(er_schedule_check(&s, &err), err);
}

TEST(data_that_is_not_json_is_refused)
{
    struct er_schedule s = {0};

    assert_int_equal(er_schedule_set(&s, "data", "{nope}", arena, &err), ERRAND_EJSON);
}

TEST(a_key_that_there_is_not_is_not_found)
{
    struct er_schedule s = {0};

    assert_error(er_schedule_set(&s, "crom", "@daily", arena, &err), err,
                 ERRAND_ENOTFOUND, "a schedule has no 'crom'");
    /* of a job, but not of a schedule */
    assert_int_equal(er_schedule_set(&s, "schedule", "@daily", arena, &err),
                     ERRAND_ENOTFOUND);
}

TEST_MAIN()
