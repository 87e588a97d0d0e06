/* schedule.c, schedules.c, schedule_classes.c: schedules by hand, and who may change
 * which. */
#include "client_test.h"

#include "client/schedules.h"
#include "core/clock.h"

#define ok(call)                                             \
    do {                                                     \
        int rc_ = (call);                                    \
        if (rc_ < 0)                                         \
            fail_msg("%s: %d: %s", #call, rc_, err.message); \
    } while (0)

static int64_t at(const char *text)
{
    int64_t ms;

    assert_int_equal(er_time_parse(text, &ms), 0);
    return ms;
}

#define NOW at("2026-03-01T10:00:00Z")

static void begin(void)
{
    clock_of_test.fixed_ms = NOW;
}

static void put(const char *name, const char *cron)
{
    const struct errand_schedule_spec spec = {.cron = cron};

    ok(errand_schedule_put(e, name, &spec, &err));
}

static void classes_say(const char *owner, struct er_schedule_class *list, size_t n)
{
    const struct er_schedule_classes said = {.owner = owner, .list = list, .n = n};

    ok(er_schedules_bring_classes(er_client_store(e), &said, NOW, &err));
}

/* "name=cron/from/owner " for each. */
static const char *listed(void)
{
    static char text[1024];
    struct errand_schedule_list *list;
    size_t len = 0;

    text[0] = '\0';
    ok(errand_schedule_list(e, &list, &err));
    for (size_t i = 0; i < list->schedules_n; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s=%s/%s/%s ",
                                list->schedules[i].name, list->schedules[i].cron,
                                list->schedules[i].from, list->schedules[i].owner);
    errand_schedule_list_free(list);
    return text;
}

CLAIM(a_schedule_is_listed_with_all_that_it_says)
{
    const struct errand_options options = {.queue = "reports"};
    const struct errand_schedule_spec spec = {.cron = "0 8 * * *",
                                              .zone = "America/New_York",
                                              .job = "make-report",
                                              .data = "{\"a\":1}",
                                              .overlap = ERRAND_OVERLAP_ALLOW,
                                              .missed = ERRAND_MISSED_ALL,
                                              .jitter = 1.5,
                                              .options = &options};
    struct errand_schedule_list *list;
    const struct errand_schedule_info *s;

    begin();
    ok(errand_schedule_put(e, "report", &spec, &err));
    ok(errand_schedule_pause(e, "report", &err));
    ok(errand_schedule_list(e, &list, &err));
    assert_int_equal(list->schedules_n, 1);
    s = &list->schedules[0];
    assert_string_equal(s->name, "report");
    assert_string_equal(s->job, "make-report");
    assert_string_equal(s->zone, "America/New_York");
    assert_int_equal(s->data.len, 7);
    assert_int_equal(s->overlap, ERRAND_OVERLAP_ALLOW);
    assert_int_equal(s->missed, ERRAND_MISSED_ALL);
    assert_int_equal(s->missed_max, 100);
    assert_int_equal(s->jitter_ms, 1500);
    assert_string_equal(s->from, "hand");
    assert_true(s->is_paused);
    assert_int_equal(s->next_ms, at("2026-03-01T13:00:00Z"));
    assert_int_equal(s->last_ms, 0);
    assert_null(s->error);
    errand_schedule_list_free(list);
}

CLAIM(a_schedule_hands_on_every_option_of_its_job)
{
    const char *const tags[] = {"a", "b", NULL};
    const struct errand_options options = {
        .queue = "reports",
        .tries = 7,
        .timeout = 90,
        .backoff = ERRAND_BACKOFF(60, 300),
        .priority = -3,
        .unique = "key",
        .unique_for = 60,
        .unique_policy = ERRAND_UNIQUE_EXTEND,
        .rate = {.max = 5, .per = 60, .name = "mail", .key = "k"},
        .concurrency = {.max = 2, .key = "c"},
        .throttle = {.max = 1, .per = 3600},
        .tags = tags};
    const struct errand_schedule_spec spec = {.cron = "@daily", .options = &options};
    struct errand_arena *arena = er_arena_new();
    struct errand_options got = {0};
    struct er_schedule_rows rows;

    begin();
    ok(errand_schedule_put(e, "report", &spec, &err));
    ok(er_schedules_read(er_client_store(e), arena, &rows, &err));
    er_call_from(&rows.rows[0].spec.options, &got);
    assert_string_equal(got.queue, "reports");
    assert_int_equal(got.tries, 7);
    assert_true(got.timeout > 89 && got.timeout < 91);
    assert_int_equal(got.backoff.list_n, 2);
    assert_int_equal(got.priority, -3);
    assert_string_equal(got.unique, "key");
    assert_true(got.unique_for > 59 && got.unique_for < 61);
    assert_int_equal(got.unique_policy, ERRAND_UNIQUE_EXTEND);
    assert_int_equal(got.rate.max, 5);
    assert_true(got.rate.per > 59 && got.rate.per < 61);
    assert_string_equal(got.rate.name, "mail");
    assert_string_equal(got.rate.key, "k");
    assert_int_equal(got.concurrency.max, 2);
    assert_string_equal(got.concurrency.key, "c");
    assert_int_equal(got.throttle.max, 1);
    assert_string_equal(got.tags[1], "b");
    assert_null(got.tags[2]);
    er_arena_free(arena);
}

CLAIM(the_next_slots_follow_the_zone_over_a_change_of_its_clock)
{
    const struct errand_schedule_spec spec = {.cron = "0 8 * * *",
                                              .zone = "America/New_York"};
    int64_t next[3];

    begin();
    ok(errand_schedule_put(e, "DailyReport", &spec, &err));
    assert_int_equal(errand_schedule_next(e, "daily-report", at("2026-03-06T20:00:00Z"),
                                          next, 3, &err),
                     3);
    assert_int_equal(next[0], at("2026-03-07T13:00:00Z"));
    assert_int_equal(next[1], at("2026-03-08T12:00:00Z"));
    assert_int_equal(next[2], at("2026-03-09T12:00:00Z"));
}

CLAIM(what_is_wrong_with_a_schedule_is_said_when_it_is_put)
{
    static const struct errand_options delayed = {.delay_ms = 5},
                                       negative = {.tries = -7};
    static const struct {
        struct errand_schedule_spec spec;
        const char *says;
    } bad[] = {
        {{0}, "schedule 'x': cron is not said"},
        {{.cron = "61 * * * *"}, "minute field"},
        {{.cron = "30 2 31 4 *"}, "never fires"},
        {{.cron = "@daily", .zone = "Mars/Base"}, "no time zone 'Mars/Base'"},
        {{.cron = "@daily", .jitter = -1}, "jitter"},
        {{.cron = "@daily", .jitter = 0.0 / 0.0}, "jitter"},
        {{.cron = "@daily", .jitter = 86401}, "jitter"},
        {{.cron = "@daily", .data = "{"}, "data"},
        {{.cron = "@daily", .job = "a b"}, "job name"},
        {{.cron = "@daily", .overlap = (enum errand_overlap)9}, "overlap"},
        {{.cron = "@daily", .missed = (enum errand_missed)9}, "missed"},
        {{.cron = "@daily", .missed_max = 5}, "missed_max"},
        {{.cron = "@daily", .options = &delayed}, "neither an id, nor a time"},
        {{.cron = "@daily", .options = &negative}, "tries"},
    };
    const struct errand_schedule_spec good = {.cron = "@daily"};
    char name[200];

    begin();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_true(errand_schedule_put(e, "x", &bad[i].spec, &err) < 0);
        if (!strstr(err.message, bad[i].says))
            fail_msg("'%s' is not in '%s'", bad[i].says, err.message);
    }
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(errand_schedule_put(e, name, &good, &err), ERRAND_EINVAL);
    assert_int_equal(errand_schedule_put(e, "", &good, &err), ERRAND_EINVAL);
    assert_string_equal(listed(), "");
}

CLAIM(a_schedule_that_is_not_there_is_not_found)
{
    int64_t next;

    begin();
    assert_int_equal(errand_schedule_delete(e, "x", &err), ERRAND_ENOTFOUND);
    assert_int_equal(errand_schedule_pause(e, "x", &err), ERRAND_ENOTFOUND);
    assert_int_equal(errand_schedule_resume(e, "x", &err), ERRAND_ENOTFOUND);
    assert_int_equal(errand_schedule_trigger(e, "x", NULL, &err), ERRAND_ENOTFOUND);
    assert_int_equal(errand_schedule_next(e, "x", 0, &next, 1, &err), ERRAND_ENOTFOUND);
    assert_non_null(strstr(err.message, "there is no schedule 'x'"));
}

CLAIM(another_spelling_of_a_name_is_found_and_not_put_beside_it)
{
    const struct errand_schedule_spec spec = {.cron = "@daily"};

    begin();
    put("DailyReport", "@daily");
    assert_int_equal(errand_schedule_put(e, "daily-report", &spec, &err),
                     ERRAND_ECONFLICT);
    ok(errand_schedule_delete(e, "daily_report", &err));
    assert_string_equal(listed(), "");
}

CLAIM(a_class_that_loses_its_schedule_takes_it_along)
{
    struct er_schedule_class with = {"Report", "@daily", NULL},
                             without = {"Report", NULL, NULL};

    begin();
    classes_say("shop", &with, 1);
    assert_string_equal(listed(), "Report=@daily/job/shop ");
    classes_say("shop", &without, 1);
    assert_string_equal(listed(), "");
}

CLAIM(a_class_is_the_same_from_whatever_folder_it_comes)
{
    struct er_schedule_class with = {"Report", "@daily", NULL},
                             other = {"Report", "@hourly", NULL},
                             without = {"Report", NULL, NULL};

    begin();
    classes_say("/srv/releases/1", &with, 1);
    classes_say("/srv/releases/2", &other, 1);
    assert_string_equal(listed(), "Report=@hourly/job//srv/releases/2 ");
    classes_say("/srv/releases/3", &without, 1);
    assert_string_equal(listed(), "");
}

CLAIM(what_an_owner_does_not_know_is_left_to_its_own)
{
    struct er_schedule_class theirs = {"Billing", "@daily", NULL},
                             ours = {"Report", "@daily", NULL};

    begin();
    classes_say("billing", &theirs, 1);
    classes_say("shop", &ours, 1);
    classes_say("shop", NULL, 0);
    assert_string_equal(listed(), "Billing=@daily/job/billing ");
}

CLAIM(a_file_that_cannot_be_read_is_no_reason_to_remove_anything)
{
    struct er_schedule_class ours = {"Report", "@daily", NULL};
    const struct er_schedule_classes broken = {.owner = "shop", .keeps_all = true};

    begin();
    classes_say("shop", &ours, 1);
    ok(er_schedules_bring_classes(er_client_store(e), &broken, NOW, &err));
    assert_string_equal(listed(), "Report=@daily/job/shop ");
}

CLAIM(a_schedule_put_by_hand_stays_against_its_class)
{
    struct er_schedule_class with = {"Report", "@daily", NULL},
                             without = {"Report", NULL, NULL};

    begin();
    classes_say("shop", &with, 1);
    put("Report", "@hourly");
    classes_say("shop", &with, 1);
    assert_string_equal(listed(), "Report=@hourly/hand/ ");
    classes_say("shop", &without, 1);
    assert_string_equal(listed(), "Report=@hourly/hand/ ");
    ok(errand_schedule_delete(e, "Report", &err));
    classes_say("shop", &with, 1);
    assert_string_equal(listed(), "Report=@daily/job/shop ");
}

CLAIM(saying_the_same_again_writes_nothing)
{
    struct er_schedule_class with = {"Report", "@daily", NULL};
    struct errand_arena *arena = er_arena_new();
    struct er_schedule_rows rows;

    begin();
    classes_say("shop", &with, 1);
    ok(er_schedules_read(er_client_store(e), arena, &rows, &err));
    assert_int_equal(rows.rows[0].spec.since_ms, NOW);
    assert_int_equal(er_schedule_write(er_client_store(e), "Report", &rows.rows[0].spec,
                                       &rows.rows[0], NOW + 5000, &err),
                     0);
    er_arena_free(arena);
}

CLAIM(a_spec_that_cannot_be_read_is_listed_with_its_error)
{
    const struct errand_schedule odd = {.name = "odd", .spec = {"{\"cron\":7}", 10}};
    struct errand_schedule_list *list;

    begin();
    ok(er_store_schedule_put(er_client_store(e), &odd, &err));
    ok(errand_schedule_list(e, &list, &err));
    assert_string_equal(list->schedules[0].error,
                        "\"cron\" of a schedule is not a string");
    assert_int_equal(list->schedules[0].next_ms, 0);
    errand_schedule_list_free(list);
    assert_int_equal(errand_schedule_trigger(e, "odd", NULL, &err), ERRAND_EINVAL);
}

TEST_MAIN()
