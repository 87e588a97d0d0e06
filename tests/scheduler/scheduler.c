/* scheduler.c, status.c: the scheduler of a program, on the real clock. */
#include "drive.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static int report_handle(errand_job *job, struct errand_error *failure)
{
    (void)job;
    (void)failure;
    return ERRAND_DONE;
}

ERRAND_JOB(DailyReport, .handle = report_handle, .schedule = "0 8 * * *",
           .zone = "America/New_York")
ERRAND_JOB(Plain, .handle = report_handle)

static pthread_mutex_t notes_lock = PTHREAD_MUTEX_INITIALIZER;

static void note_safely(void *ctx, bool is_warning, const char *line)
{
    pthread_mutex_lock(&notes_lock);
    note(ctx, is_warning, line);
    pthread_mutex_unlock(&notes_lock);
}

static errand_scheduler *start(void)
{
    const struct errand_scheduler_options options = {.note = note_safely};
    errand_scheduler *s = NULL;

    the_clock.fixed_ms = 0;
    ok(errand_scheduler_start(url, NULL, &options, &s, &err));
    return s;
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

/* The time is only how long a broken scheduler may take to fail. */
static bool comes_about(bool (*is_so)(const char *), const char *arg)
{
    for (int i = 0; i < 2000; i++, nap())
        if (is_so(arg))
            return true;
    return false;
}

static bool has_job(const char *name)
{
    return jobs_n(name) > 0;
}

static const struct errand_scheduler_entry *entry(errand_scheduler *s, const char *name,
                                                  struct errand_scheduler_status **status)
{
    ok(errand_scheduler_status(s, status, &err));
    return errand_scheduler_entry(*status, name);
}

CLAIM(it_runs_when_it_was_started_and_does_not_when_it_was_stopped)
{
    struct errand_scheduler_status *status;
    errand_scheduler *s = start();

    ok(errand_scheduler_status(s, &status, &err));
    assert_true(status->is_running);
    errand_scheduler_status_free(status);
    errand_scheduler_stop(s);
    errand_scheduler_stop(s);
    ok(errand_scheduler_status(s, &status, &err));
    assert_false(status->is_running);
    errand_scheduler_status_free(status);
    errand_scheduler_free(s);
}

CLAIM(the_schedules_of_the_classes_of_a_program_are_put)
{
    struct errand_scheduler_status *status;
    const struct errand_scheduler_entry *daily;
    errand_scheduler *s = start();
    int64_t next;

    daily = entry(s, "daily-report", &status);
    assert_non_null(daily);
    assert_string_equal(daily->name, "DailyReport");
    assert_string_equal(daily->job, "DailyReport");
    assert_int_equal(status->entries_n, 1);
    assert_int_equal(errand_schedule_next(e, "DailyReport", 0, &next, 1, &err), 1);
    assert_int_equal(daily->next_ms, next);
    errand_scheduler_status_free(status);
    errand_scheduler_free(s);
}

CLAIM(a_schedule_that_is_put_while_it_sleeps_fires)
{
    struct errand_scheduler_status *status;
    errand_scheduler *s = start();

    put_with("tick", (struct errand_schedule_spec){.cron = "* * * * * *"});
    assert_true(comes_about(has_job, "tick"));
    assert_true(entry(s, "tick", &status)->last_ms > 0);
    errand_scheduler_status_free(status);
    errand_scheduler_free(s);
}

CLAIM(triggering_makes_a_job_now_and_moves_nothing)
{
    struct errand_scheduler_status *before, *after;
    errand_scheduler *s = start();
    struct errand_id id;

    (void)entry(s, "DailyReport", &before);
    assert_int_equal(errand_schedule_trigger(e, "daily-report", &id, &err), 0);
    assert_int_equal(jobs_n("DailyReport"), 1);
    assert_int_equal(entry(s, "DailyReport", &after)->next_ms,
                     errand_scheduler_entry(before, "DailyReport")->next_ms);
    assert_int_equal(stored("DailyReport").last_slot_ms, 0);
    assert_string_equal(stored("DailyReport").last_job.text, "");
    errand_scheduler_status_free(before);
    errand_scheduler_status_free(after);
    errand_scheduler_free(s);
}

static void *be_asked(void *arg)
{
    for (int i = 0; i < 200; i++) {
        struct errand_scheduler_status *status = NULL;
        if (errand_scheduler_status(arg, &status, NULL) == 0)
            errand_scheduler_status_free(status);
    }
    return NULL;
}

CLAIM(any_thread_may_ask_while_schedules_come_and_go)
{
    errand_scheduler *s = start();
    pthread_t asker;

    assert_int_equal(pthread_create(&asker, NULL, be_asked, s), 0);
    for (int i = 0; i < 30; i++) {
        put_with("tick", (struct errand_schedule_spec){.cron = "* * * * * *"});
        ok(errand_schedule_delete(e, "tick", &err));
    }
    pthread_join(asker, NULL);
    errand_scheduler_free(s);
}

static volatile sig_atomic_t heard;

static void on_signal(int number)
{
    heard = number;
}

CLAIM(signals_are_left_to_the_program)
{
    void (*before)(int) = signal(SIGTERM, on_signal);
    struct errand_scheduler_status *status;
    errand_scheduler *s = start();

    heard = 0;
    kill(getpid(), SIGTERM);
    for (int i = 0; i < 500 && !heard; i++)
        nap();
    assert_int_equal(heard, SIGTERM);
    ok(errand_scheduler_status(s, &status, &err));
    assert_true(status->is_running);
    errand_scheduler_status_free(status);
    errand_scheduler_free(s);
    signal(SIGTERM, before);
}

CLAIM(it_sleeps_when_nothing_is_due)
{
    errand_scheduler *s = start();
    struct rusage before, after;

    getrusage(RUSAGE_SELF, &before);
    for (int i = 0; i < 50; i++)
        nap();
    getrusage(RUSAGE_SELF, &after);
    /* A loop that turns without sleeping would turn ten thousand times. */
    assert_true(after.ru_nvcsw - before.ru_nvcsw < 500);
    errand_scheduler_free(s);
}

TEST(a_store_that_nobody_else_sees_is_refused)
{
    errand_scheduler *s = NULL;

    assert_int_equal(errand_scheduler_start("memory:", NULL, NULL, &s, &err),
                     ERRAND_EINVAL);
    assert_non_null(strstr(err.message, "memory:NAME"));
    assert_null(s);
}

TEST(a_store_that_is_not_there_is_the_callers_to_know)
{
    const struct errand_config config = {.must_exist = true};
    errand_scheduler *s = NULL;

    assert_int_equal(
        errand_scheduler_start("sqlite:/nowhere/x.db", &config, NULL, &s, &err),
        ERRAND_ENOTFOUND);
}

TEST_MAIN()
