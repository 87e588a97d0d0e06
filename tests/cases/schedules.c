/* schedules.c: case 23, jobs by the clock. */
#include "client/schedules.h"
#include "cases/cases.h"

static int on_report(errand_job *job, struct errand_error *error)
{
    (void)job;
    (void)error;
    ledger("report");
    return ERRAND_DONE;
}
ERRAND_JOB(DailyReport, .handle = on_report, .schedule = "0 8 * * *",
           .zone = "America/New_York")
ERRAND_JOB(Tick, .handle = on_report)

static int64_t at(const char *text)
{
    int64_t ms;

    assert_int_equal(er_time_parse(text, &ms), 0);
    return ms;
}

static void put(const char *name, const char *cron)
{
    const struct errand_schedule_spec spec = {.cron = cron, .job = "Tick"};

    if (errand_schedule_put(e, name, &spec, &err) < 0)
        fail_msg("%s", err.message);
}

static errand_scheduler *scheduler(void)
{
    errand_scheduler *s = NULL;

    if (errand_scheduler_start(case_url, NULL, NULL, &s, &err) < 0)
        fail_msg("%s", err.message);
    return s;
}

static struct er_schedule_row stored(const char *name)
{
    struct er_schedule_rows rows;
    const struct er_schedule_row *row;

    if (er_schedules_read(er_client_store(e), case_arena, &rows, &err) < 0)
        fail_msg("%s", err.message);
    assert_non_null(row = er_schedules_find(&rows, name));
    return *row;
}

/* Of a schedule of every second, one job for each up to the last that is recorded. */
static void assert_one_job_a_second(const char *name)
{
    struct er_schedule_row row = stored(name);

    assert_int_equal(row.stored.missed_n, 0);
    assert_int_equal(count(-1, NULL),
                     row.stored.last_slot_ms / 1000 - row.spec.since_ms / 1000);
}

/* The first slots after an instant, as text. */
static const char *slots(const char *name, const char *after, size_t n)
{
    static char text[512];
    int64_t ms[8];
    char one[32];
    size_t len = 0;

    text[0] = '\0';
    assert_int_equal(errand_schedule_next(e, name, at(after), ms, n, &err), n);
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%.16sZ ",
                                er_time_format(ms[i], one, sizeof one));
    return text;
}

CASE(case_23_a_schedule_follows_its_zone_over_a_change_of_the_clock)
{
    errand_scheduler *s = scheduler();

    assert_string_equal(slots("DailyReport", "2026-03-06T20:00:00Z", 2),
                        "2026-03-07T13:00Z 2026-03-08T12:00Z ");
    errand_scheduler_free(s);
}

CASE(case_23_status_knows_what_runs_when)
{
    errand_scheduler *s = scheduler();
    struct errand_scheduler_status *status;
    int64_t next;

    assert_int_equal(errand_scheduler_status(s, &status, &err), 0);
    assert_true(status->is_running);
    assert_int_equal(errand_schedule_next(e, "DailyReport", 0, &next, 1, &err), 1);
    assert_int_equal(errand_scheduler_entry(status, "DailyReport")->next_ms, next);
    errand_scheduler_status_free(status);
    errand_scheduler_stop(s);
    assert_int_equal(errand_scheduler_status(s, &status, &err), 0);
    assert_false(status->is_running);
    errand_scheduler_status_free(status);
    errand_scheduler_free(s);
}

CASE(case_23_trigger_makes_one_job_now)
{
    errand_scheduler *s = scheduler();
    struct errand_id id;

    assert_int_equal(errand_schedule_trigger(e, "daily-report", &id, &err), 0);
    assert_int_equal(count(-1, NULL), 1);
    assert_state(id, ERRAND_READY);
    assert_string_equal(look(id)->job.name, "DailyReport");
    errand_scheduler_free(s);
}

CASE(case_23_two_schedulers_make_one_job_a_slot)
{
    errand_scheduler *one = scheduler(), *other = scheduler();
    const struct errand_schedule_spec spec = {
        .cron = "* * * * * *", .job = "Tick", .overlap = ERRAND_OVERLAP_ALLOW};

    assert_int_equal(errand_schedule_put(e, "tick", &spec, &err), 0);
    UNTIL(count(-1, NULL) >= 3);
    errand_scheduler_free(one);
    errand_scheduler_free(other);
    assert_one_job_a_second("tick");
}

CASE(case_23_a_slot_is_left_out_while_the_job_still_runs)
{
    errand_scheduler *s;

    put("tick", "* * * * * *");
    s = scheduler();
    UNTIL(stored("tick").stored.missed_n >= 2);
    errand_scheduler_free(s);
    assert_int_equal(count(-1, NULL), 1);
    assert_state(stored("tick").stored.last_job, ERRAND_READY);
}

CASE(case_23_day_of_month_or_day_of_week)
{
    put("x", "0 0 13 * 5");
    assert_string_equal(slots("x", "2026-02-10T00:00:00Z", 4),
                        "2026-02-13T00:00Z 2026-02-20T00:00Z 2026-02-27T00:00Z "
                        "2026-03-06T00:00Z ");
    assert_string_equal(slots("x", "2026-01-09T01:00:00Z", 2),
                        "2026-01-13T00:00Z 2026-01-16T00:00Z ");
}

CASE(case_23_what_is_cron_and_what_is_not)
{
    const struct errand_schedule_spec bad = {.cron = "61 * * * *"};

    put("x", "*/15 9-17 * * MON-FRI");
    assert_int_equal(errand_schedule_put(e, "y", &bad, &err), ERRAND_EINVAL);
    assert_non_null(strstr(err.message, "minute field"));
}

CASE_SHARED(case_23_the_command_schedules_and_works)
{
    pid_t pid;

    assert_code(sh("mine schedule:put tick '* * * * * *' --job=Tick"), 0);
    pid = start("worker", "mine queue:work --schedule");
    UNTIL(count(ERRAND_COMPLETED, NULL) >= 2);
    assert_has(sh("mine schedule:list").out, "America/New_York");
    assert_code(sh("mine schedule:delete tick"), 0);
    assert_code(sh("mine schedule:trigger daily-report --json"), 0);
    UNTIL(count(ERRAND_COMPLETED, NULL) == count(-1, NULL));
    assert_has(sh("mine queue:list --name=DailyReport").out, "completed");
    kill(pid, SIGTERM);
    assert_int_equal(ended(pid), 0);
}

CASE_SHARED(case_23_two_scheduler_programs_make_one_job_a_slot)
{
    pid_t one, other;

    assert_code(sh("mine schedule:put tick '* * * * * *' --job=Tick --overlap=allow"), 0);
    one = start("one", "mine queue:schedule");
    other = start("other", "mine queue:schedule");
    UNTIL(count(-1, NULL) >= 3);
    kill(one, SIGTERM);
    kill(other, SIGTERM);
    assert_int_equal(ended(one), 0);
    assert_int_equal(ended(other), 0);
    assert_one_job_a_second("tick");
}

CASES_MAIN()
