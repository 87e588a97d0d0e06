/* ticker.c, agenda.c, fire.c: what fires when, with a clock that the test owns. */
#include "drive.h"

#include <sys/stat.h>
#include <unistd.h>

#include <errand/testing.h>

static void put(const char *name, const char *cron)
{
    put_with(name, (struct errand_schedule_spec){.cron = cron});
}

/* Turns at every time the ticker asks for, up to and with `until`; how many. */
static int run_until(struct er_ticker *t, int64_t until_ms)
{
    int64_t wake_ms;
    int turns = 0;

    for (;; turns++) {
        wake_ms = er_ticker_turn(t, the_clock.fixed_ms);
        if (wake_ms > until_ms)
            break;
        assert_true(wake_ms > the_clock.fixed_ms);
        the_clock.fixed_ms = wake_ms;
    }
    the_clock.fixed_ms = until_ms;
    return turns;
}

CLAIM(a_slot_fires_one_job_at_its_time)
{
    struct er_ticker t;

    put("report", "*/5 * * * *");
    ticker_begin(&t);
    run_until(&t, at("2026-03-01T10:04:59.999Z"));
    assert_int_equal(jobs_n("report"), 0);
    run_until(&t, at("2026-03-01T10:05:00Z"));
    assert_int_equal(jobs_n("report"), 1);
    assert_int_equal(stored("report").last_slot_ms, at("2026-03-01T10:05:00Z"));
    assert_int_equal(stored("report").next_ms, at("2026-03-01T10:10:00Z"));
    assert_non_null(strstr(notes, "report: dispatched "));
    er_ticker_done(&t);
}

CLAIM(the_job_is_what_the_schedule_says)
{
    const char *const tags[] = {"nightly", NULL};
    const struct errand_options options = {
        .queue = "reports", .tries = 7, .priority = -3, .tags = tags};
    const struct errand_list_params params = {.max = 10};
    struct errand_job_detail *detail;
    struct errand_list_result got;
    struct er_ticker t;

    put_with("report", (struct errand_schedule_spec){.cron = "0 * * * *",
                                                     .job = "make-report",
                                                     .data = "{\"kind\": 1}",
                                                     .options = &options});
    ticker_begin(&t);
    run_until(&t, at("2026-03-01T11:00:00Z"));
    ok(er_store_list(store, &params, arena, &got, &err));
    assert_int_equal(got.jobs_n, 1);
    assert_string_equal(got.jobs[0].name, "make-report");
    assert_string_equal(got.jobs[0].queue, "reports");
    assert_int_equal(got.jobs[0].tries, 7);
    assert_int_equal(got.jobs[0].priority, -3);
    ok(errand_get(e, &got.jobs[0].id, &detail, &err));
    assert_int_equal(detail->job.data.len, 11);
    assert_memory_equal(detail->job.data.ptr, "{\"kind\": 1}", 11);
    errand_detail_free(detail);
    er_ticker_done(&t);
}

static int put_report(void *ctx, struct errand_error *e_err)
{
    (void)e_err;
    ++*(int *)ctx;
    put("report", "*/5 * * * *");
    return 0;
}

/* The store is emptied after a slot, made anew by somebody, and the next slot is due
 * before anything is read again. */
CLAIM(a_scheduler_puts_its_schedules_into_the_store_that_replaces_its_own)
{
    struct er_ticker t;
    int brought_n = 0;
    errand *maker;

    put("report", "*/5 * * * *");
    ticker_begin(&t);
    t.bring = put_report;
    t.ctx = &brought_n;
    run_until(&t, at("2026-03-01T10:05:00Z"));
    assert_int_equal(jobs_n("report"), 1);
    if (!fresh_remove_under(url))
        goto out;
    run_until(&t, at("2026-03-01T10:06:00Z"));
    maker = errand_open(url, NULL, &err);
    assert_non_null(maker);
    run_until(&t, at("2026-03-01T10:10:30Z"));
    assert_int_equal(brought_n, 1);
    assert_int_equal(jobs_n("report"), 1);
    assert_int_equal(stored("report").last_slot_ms, at("2026-03-01T10:10:00Z"));
    assert_non_null(strstr(notes, "! the store is another one now"));
    run_until(&t, at("2026-03-01T10:20:00Z"));
    assert_int_equal(brought_n, 1);
    assert_int_equal(stored("report").last_slot_ms, at("2026-03-01T10:20:00Z"));
    errand_close(maker);
out:
    er_ticker_done(&t);
}

CLAIM(several_schedulers_fire_a_slot_once)
{
    struct er_ticker one, two, three;

    put_with("report", (struct errand_schedule_spec){.cron = "* * * * *",
                                                     .overlap = ERRAND_OVERLAP_ALLOW});
    ticker_begin(&one);
    ticker_begin(&two);
    ticker_begin(&three);
    for (int i = 0; i <= 60; i++) {
        er_ticker_turn(&one, the_clock.fixed_ms);
        er_ticker_turn(&two, the_clock.fixed_ms + 3);
        er_ticker_turn(&three, the_clock.fixed_ms - 3 + i % 2 * 6);
        the_clock.fixed_ms += MINUTE;
    }
    assert_int_equal(jobs_n("report"), 60);
    assert_int_equal(stored("report").missed_n, 0);
    er_ticker_done(&one);
    er_ticker_done(&two);
    er_ticker_done(&three);
}

CLAIM(a_slot_is_left_out_while_the_job_of_an_earlier_one_runs)
{
    const struct errand_events_params follow = {.follow_ms = DAY, .max = 1, .after = -1};
    struct errand_events_result events;
    const char *text = NULL;
    struct er_ticker t;

    ok(er_store_events_read(store, &follow, arena, &events, &err));
    put("report", "*/5 * * * *");
    ticker_begin(&t);
    run_until(&t, at("2026-03-01T10:10:00Z"));
    assert_int_equal(jobs_n("report"), 1);
    assert_int_equal(stored("report").missed_n, 1);
    assert_int_equal(stored("report").last_slot_ms, at("2026-03-01T10:10:00Z"));
    assert_int_equal(events_n("schedule:skipped", &text), 1);
    assert_non_null(strstr(text, "2026-03-01T10:10:00.000Z"));
    work_one("default", the_clock.fixed_ms);
    run_until(&t, at("2026-03-01T10:15:00Z"));
    assert_int_equal(stored("report").missed_n, 1);
    er_ticker_done(&t);
}

CLAIM(a_paused_schedule_lets_its_slots_pass)
{
    struct er_ticker t;

    put_with("report", (struct errand_schedule_spec){.cron = "*/5 * * * *",
                                                     .missed = ERRAND_MISSED_ALL});
    ok(errand_schedule_pause(e, "report", &err));
    ticker_begin(&t);
    run_until(&t, at("2026-03-01T10:31:00Z"));
    assert_int_equal(jobs_n("report"), 0);
    ok(errand_schedule_resume(e, "report", &err));
    t.is_stale = true;
    run_until(&t, at("2026-03-01T10:35:00Z"));
    assert_int_equal(jobs_n("report"), 1);
    er_ticker_done(&t);
}

CLAIM(a_pause_while_no_scheduler_ran_is_no_reason_to_catch_up)
{
    struct er_ticker t;

    put_with("report", (struct errand_schedule_spec){.cron = "*/5 * * * *",
                                                     .missed = ERRAND_MISSED_ALL});
    ok(errand_schedule_pause(e, "report", &err));
    the_clock.fixed_ms += 30 * DAY + 2 * MINUTE;
    ticker_begin(&t);
    er_ticker_turn(&t, the_clock.fixed_ms);
    assert_int_equal(jobs_n("report"), 0);
    assert_int_equal(stored("report").missed_n, 8640);
    assert_int_equal(events_n("schedule:missed", NULL), 0);
    er_ticker_done(&t);
}

/* ------------------------------------------------------------------ missed */

static void down(enum errand_missed missed, int64_t for_ms, int64_t expected,
                 int64_t recorded, const char *told)
{
    const char *text = NULL;
    struct er_ticker t;

    put_with("report",
             (struct errand_schedule_spec){.cron = "*/5 * * * *", .missed = missed});
    the_clock.fixed_ms += for_ms;
    ticker_begin(&t);
    er_ticker_turn(&t, the_clock.fixed_ms);
    assert_int_equal(jobs_n("report"), expected);
    assert_int_equal(stored("report").missed_n, recorded);
    assert_int_equal(events_n("schedule:missed", &text), 1);
    assert_non_null(strstr(text, told));
    assert_non_null(strstr(notes, told));
    er_ticker_turn(&t, the_clock.fixed_ms + SECOND);
    assert_int_equal(jobs_n("report"), expected);
    assert_int_equal(events_n("schedule:missed", NULL), 1);
    er_ticker_done(&t);
}

CLAIM(t37_skip_leaves_three_hours_out)
{
    down(ERRAND_MISSED_SKIP, 3 * HOUR + 2 * MINUTE, 0, 36, "missed=36");
}

CLAIM(t37_once_makes_one_job_of_three_hours)
{
    down(ERRAND_MISSED_ONCE, 3 * HOUR + 2 * MINUTE, 1, 35, "missed=36");
}

CLAIM(t37_all_makes_up_for_three_hours)
{
    down(ERRAND_MISSED_ALL, 3 * HOUR + 2 * MINUTE, 36, 0, "missed=36");
}

CLAIM(t37_all_makes_up_for_the_last_hundred_of_a_month)
{
    down(ERRAND_MISSED_ALL, 30 * DAY + 2 * MINUTE, 100, 8540, "missed=8640");
}

CLAIM(what_two_schedulers_catch_up_is_told_once)
{
    struct er_ticker one, two;

    put_with("report", (struct errand_schedule_spec){.cron = "*/5 * * * *",
                                                     .missed = ERRAND_MISSED_ALL});
    ticker_begin(&one);
    ticker_begin(&two);
    er_ticker_turn(&one, the_clock.fixed_ms);
    er_ticker_turn(&two, the_clock.fixed_ms);
    the_clock.fixed_ms += 3 * HOUR + 2 * MINUTE;
    er_ticker_turn(&one, the_clock.fixed_ms);
    er_ticker_turn(&two, the_clock.fixed_ms);
    assert_int_equal(jobs_n("report"), 36);
    assert_int_equal(events_n("schedule:missed", NULL), 1);
    er_ticker_done(&one);
    er_ticker_done(&two);
}

static bool stop_after(void *ctx)
{
    return --*(int *)ctx < 0;
}

CLAIM(who_joins_a_catch_up_in_the_middle_does_not_tell_it_again)
{
    struct er_ticker one, two;
    int left = 20;

    put_with("report", (struct errand_schedule_spec){.cron = "*/5 * * * *",
                                                     .missed = ERRAND_MISSED_ALL});
    the_clock.fixed_ms += 3 * HOUR + 2 * MINUTE;
    ticker_begin(&one);
    one.must_stop = stop_after;
    one.ctx = &left;
    er_ticker_turn(&one, the_clock.fixed_ms);
    assert_in_range(jobs_n("report"), 5, 30);
    /* It was deployed again meanwhile, with other data. */
    put_with("report", (struct errand_schedule_spec){.cron = "*/5 * * * *",
                                                     .missed = ERRAND_MISSED_ALL,
                                                     .data = "1"});
    ticker_begin(&two);
    er_ticker_turn(&two, the_clock.fixed_ms);
    assert_int_equal(jobs_n("report"), 36);
    assert_int_equal(events_n("schedule:missed", NULL), 1);
    /* The next outage is another one. */
    er_ticker_turn(&two, the_clock.fixed_ms += 3 * HOUR);
    assert_int_equal(jobs_n("report"), 72);
    assert_int_equal(events_n("schedule:missed", NULL), 2);
    er_ticker_done(&one);
    er_ticker_done(&two);
}

CLAIM(a_change_during_an_outage_does_not_hide_it)
{
    struct er_ticker t;

    put("report", "*/5 * * * *");
    the_clock.fixed_ms += 3 * HOUR + 2 * MINUTE;
    put_with("report", (struct errand_schedule_spec){.cron = "*/5 * * * *", .data = "1"});
    ticker_begin(&t);
    er_ticker_turn(&t, the_clock.fixed_ms);
    assert_int_equal(events_n("schedule:missed", NULL), 1);
    er_ticker_done(&t);
}

CLAIM(who_slept_through_what_another_fired_misses_nothing)
{
    struct er_ticker sleeper, other;

    put_with("report", (struct errand_schedule_spec){.cron = "* * * * *",
                                                     .overlap = ERRAND_OVERLAP_ALLOW});
    ticker_begin(&sleeper);
    ticker_begin(&other);
    er_ticker_turn(&sleeper, the_clock.fixed_ms);
    run_until(&other, the_clock.fixed_ms + 90 * MINUTE);
    er_ticker_turn(&sleeper, the_clock.fixed_ms);
    assert_int_equal(jobs_n("report"), 90);
    assert_int_equal(events_n("schedule:missed", NULL), 0);
    er_ticker_done(&sleeper);
    er_ticker_done(&other);
}

/* ------------------------------------------------------------------ clocks */

CLAIM(a_clock_that_is_put_back_fires_nothing_twice)
{
    struct er_ticker t;

    put_with("report", (struct errand_schedule_spec){.cron = "* * * * *",
                                                     .overlap = ERRAND_OVERLAP_ALLOW});
    ticker_begin(&t);
    run_until(&t, at("2026-03-01T10:30:00Z"));
    assert_int_equal(jobs_n("report"), 30);
    the_clock.fixed_ms = at("2026-03-01T10:10:00Z");
    run_until(&t, at("2026-03-01T10:30:59Z"));
    assert_int_equal(jobs_n("report"), 30);
    run_until(&t, at("2026-03-01T10:31:00Z"));
    assert_int_equal(jobs_n("report"), 31);
    er_ticker_done(&t);
}

CLAIM(a_clock_that_jumps_ahead_is_an_outage)
{
    struct er_ticker t;

    put("report", "*/5 * * * *");
    ticker_begin(&t);
    er_ticker_turn(&t, the_clock.fixed_ms);
    the_clock.fixed_ms = at("2026-03-02T10:02:00Z");
    er_ticker_turn(&t, the_clock.fixed_ms);
    assert_int_equal(jobs_n("report"), 1);
    assert_int_equal(stored("report").missed_n, 287);
    er_ticker_done(&t);
}

CLAIM(a_schedule_that_rests_after_a_jump_and_back_is_told)
{
    struct er_ticker t;

    put("report", "*/5 * * * *");
    ticker_begin(&t);
    er_ticker_turn(&t, at("2027-03-01T10:02:00Z"));
    er_ticker_turn(&t, at("2026-03-01T10:02:00Z"));
    assert_non_null(strstr(notes, "! schedule 'report' has fired slots that are still to "
                                  "come"));
    er_ticker_done(&t);
}

CLAIM(a_new_schedule_does_not_make_up_for_the_time_before_it)
{
    struct er_ticker t;

    put_with("report", (struct errand_schedule_spec){.cron = "@daily",
                                                     .missed = ERRAND_MISSED_ALL});
    ticker_begin(&t);
    er_ticker_turn(&t, the_clock.fixed_ms);
    assert_int_equal(jobs_n("report"), 0);
    er_ticker_done(&t);
}

CLAIM(a_schedule_with_another_cron_line_begins_anew)
{
    struct er_ticker t;

    put("report", "0 8 * * *");
    the_clock.fixed_ms = at("2026-03-03T10:00:00Z");
    put("report", "0 9 * * *");
    ticker_begin(&t);
    er_ticker_turn(&t, the_clock.fixed_ms);
    assert_int_equal(jobs_n("report"), 0);
    er_ticker_done(&t);
}

CLAIM(a_schedule_that_is_put_again_as_it_was_goes_on)
{
    struct er_ticker t;

    put("report", "0 8 * * *");
    the_clock.fixed_ms = at("2026-03-03T10:00:00Z");
    put("report", "0 8 * * *");
    ticker_begin(&t);
    er_ticker_turn(&t, the_clock.fixed_ms);
    assert_int_equal(jobs_n("report"), 1);
    er_ticker_done(&t);
}

CLAIM(jitter_moves_the_job_and_not_the_slot)
{
    struct er_ticker t;
    int64_t woken;

    put_with("report",
             (struct errand_schedule_spec){.cron = "0 * * * *", .jitter = 1200});
    ticker_begin(&t);
    run_until(&t, at("2026-03-01T11:00:00Z"));
    assert_int_equal(jobs_n("report"), 0);
    run_until(&t, at("2026-03-01T11:20:00Z"));
    assert_int_equal(jobs_n("report"), 1);
    assert_int_equal(stored("report").last_slot_ms, at("2026-03-01T11:00:00Z"));
    woken = t.agenda->entries[0].last_ms;
    assert_true(woken > at("2026-03-01T11:00:00Z"));
    assert_int_equal(
        woken, er_schedule_due(&t.agenda->entries[0].when, at("2026-03-01T11:00:00Z")));
    er_ticker_done(&t);
}

/* ------------------------------------------------------------------ changes, trouble */

CLAIM(a_schedule_that_is_gone_does_not_fire)
{
    struct er_ticker t;

    put("report", "* * * * *");
    put("other", "* * * * *");
    ticker_begin(&t);
    er_ticker_turn(&t, the_clock.fixed_ms);
    ok(errand_schedule_delete(e, "report", &err));
    er_ticker_turn(&t, the_clock.fixed_ms += MINUTE);
    assert_int_equal(jobs_n("report"), 0);
    assert_int_equal(jobs_n("other"), 1);
    er_ticker_turn(&t, the_clock.fixed_ms += SECOND);
    assert_int_equal(t.agenda->n, 1);
    assert_null(strstr(notes, "!"));
    er_ticker_done(&t);
}

CLAIM(one_that_cannot_be_read_leaves_the_others_alone)
{
    static const char *const specs[] = {"{\"cron\":\"61 * * * *\"}", "nonsense",
                                        "{\"cron\":\"@hourly\",\"zone\":\"No/Where\"}",
                                        "{}"};
    struct er_ticker t;

    put("good", "* * * * *");
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        const char *name = er_arena_printf(arena, "bad-%zu", i);
        const struct errand_schedule bad = {.name = name,
                                            .spec = {specs[i], strlen(specs[i])}};
        ok(er_store_schedule_put(store, &bad, &err));
    }
    ticker_begin(&t);
    run_until(&t, the_clock.fixed_ms + 2 * MINUTE);
    assert_int_equal(stored("good").last_slot_ms, the_clock.fixed_ms);
    assert_non_null(strstr(notes, "! schedule 'bad-0' does not fire: cron '61 * * * *': "
                                  "minute field"));
    assert_non_null(strstr(notes, "! schedule 'bad-2' does not fire: there is no time "
                                  "zone 'No/Where'"));
    /* told once, however often it is read */
    assert_null(strstr(strstr(notes, "'bad-0'") + 1, "'bad-0'"));
    er_ticker_done(&t);
}

CLAIM(a_job_that_cannot_be_made_holds_back_its_schedule_until_it_can)
{
    static const char spec[] = "{\"unique\":\"report:{day}\"}";
    const struct errand_definition bad = {.name = "report",
                                          .key = "report",
                                          .spec = {spec, sizeof spec - 1}},
                                   good = {.name = "report",
                                           .key = "report",
                                           .spec = {"{}", 2}};
    struct er_ticker t;

    ok(er_store_define(store, &bad, 1, 0, &err));
    put("report", "@hourly");
    ticker_begin(&t);
    run_until(&t, at("2026-03-01T11:00:30Z"));
    assert_int_equal(jobs_n("report"), 0);
    assert_non_null(strstr(notes, "! schedule 'report' cannot dispatch its job:"));
    assert_int_equal(stored("report").last_slot_ms, 0);
    ok(er_store_define(store, &good, 1, 0, &err));
    run_until(&t, at("2026-03-01T11:02:00Z"));
    assert_int_equal(jobs_n("report"), 1);
    assert_null(t.agenda->entries[0].trouble);
    er_ticker_done(&t);
}

static void fails(const char *call, int code, int64_t times, bool is_after_commit)
{
    const struct errand_test_failure failure = {
        .code = code, .call = call, .times = times, .is_after_commit = is_after_commit};

    ok(errand_test_fail(e, &failure, &err));
}

CLAIM(a_store_that_does_not_answer_is_asked_again_and_less_often)
{
    struct er_ticker t;

    put("report", "*/5 * * * *");
    ticker_begin(&t);
    er_ticker_turn(&t, the_clock.fixed_ms);
    fails(NULL, ERRAND_EUNAVAILABLE, -1, false);
    the_clock.fixed_ms = at("2026-03-01T10:05:00Z");
    assert_in_range(run_until(&t, the_clock.fixed_ms + 40 * SECOND), 14, 26);
    assert_non_null(strstr(notes, "trying again until it works"));
    assert_null(strstr(strstr(notes, "trying again") + 1, "trying again"));
    fails(NULL, 0, 0, false);
    run_until(&t, the_clock.fixed_ms + 5 * SECOND);
    assert_non_null(strstr(notes, "the store answers again"));
    assert_int_equal(jobs_n("report"), 1);
    assert_int_equal(stored("report").last_slot_ms, at("2026-03-01T10:05:00Z"));
    er_ticker_done(&t);
}

CLAIM(a_slot_whose_answer_was_lost_is_not_fired_again)
{
    struct er_ticker t;

    put_with("report", (struct errand_schedule_spec){.cron = "*/5 * * * *",
                                                     .overlap = ERRAND_OVERLAP_ALLOW});
    ticker_begin(&t);
    er_ticker_turn(&t, the_clock.fixed_ms);
    fails("fire", ERRAND_EUNAVAILABLE, 3, true);
    run_until(&t, at("2026-03-01T10:15:00Z"));
    assert_int_equal(jobs_n("report"), 3);
    assert_int_equal(stored("report").missed_n, 0);
    er_ticker_done(&t);
}

CLAIM(an_idle_ticker_asks_for_a_turn_a_minute)
{
    struct er_ticker t;

    put("report", "0 8 * * *");
    ticker_begin(&t);
    assert_in_range(run_until(&t, the_clock.fixed_ms + HOUR), 55, 61);
    er_ticker_done(&t);
}

/* ------------------------------------------------------------------ zones */

static void zone_install(const char *folder, const char *zone)
{
    char from[256], to[256], next[270];
    FILE *in, *out;
    char bytes[65536];
    size_t n;

    snprintf(from, sizeof from, "/usr/share/zoneinfo/%s", zone);
    snprintf(to, sizeof to, "%s/Here", folder);
    snprintf(next, sizeof next, "%s.next", to);
    assert_non_null(in = fopen(from, "re"));
    assert_non_null(out = fopen(next, "we"));
    n = fread(bytes, 1, sizeof bytes, in);
    assert_int_equal(fwrite(bytes, 1, n, out), n);
    fclose(in);
    fclose(out);
    assert_int_equal(rename(next, to), 0);
}

CLAIM(new_rules_of_a_zone_move_the_next_slot)
{
    char folder[FOLDER_MAX];
    struct er_ticker t;

    assert_int_equal(folder_make(folder, "zones"), 0);
    zone_install(folder, "Europe/Berlin");
    setenv("TZDIR", folder, 1);
    put_with("report",
             (struct errand_schedule_spec){.cron = "0 13 * * *", .zone = "Here"});
    ticker_begin(&t);
    er_ticker_turn(&t, the_clock.fixed_ms);
    assert_int_equal(t.agenda->entries[0].next_ms, at("2026-03-01T12:00:00Z"));
    zone_install(folder, "Europe/Istanbul");
    run_until(&t,
              the_clock.fixed_ms + 61 * SECOND); /* its time by the new rules was now */
    assert_int_equal(t.agenda->entries[0].next_ms, at("2026-03-02T10:00:00Z"));
    assert_non_null(strstr(notes, "zone Here has new rules"));
    unlink(er_arena_printf(arena, "%s/Here", folder));
    er_ticker_turn(&t, the_clock.fixed_ms += 2 * MINUTE);
    assert_null(t.agenda->entries[0].error); /* the rules that were known stay */
    unsetenv("TZDIR");
    folder_remove(folder);
    er_ticker_done(&t);
}

TEST_MAIN()
