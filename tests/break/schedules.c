/* schedules.c: a slot makes one job, whatever becomes of the schedulers. */
#include <signal.h>
#include <unistd.h>

#include "base/arena.h"
#include "break.h"
#include "core/clock.h"

enum { SCHEDULERS = 3, ENTRIES = 50 };

static const char *const schedule_args[] = {"queue:schedule", "--quiet", NULL};

/* The seconds between two slots of an entry. */
static long every(long i)
{
    return is_long() ? 6 : 1 + i % 2;
}

static void entries_put(const struct world *w)
{
    struct errand_error err = {0};
    errand *e = errand_open(w->url, NULL, &err);
    char name[32], cron[32];

    assert_non_null(e);
    for (long i = 0; i < ENTRIES; i++) {
        const struct errand_schedule_spec spec = {
            .cron = cron, .overlap = ERRAND_OVERLAP_ALLOW, .missed = ERRAND_MISSED_ALL};
        snprintf(name, sizeof name, "entry-%02ld", i);
        snprintf(cron, sizeof cron, "*/%ld * * * * *", every(i));
        assert_int_equal(errand_schedule_put(e, name, &spec, &err), 0);
    }
    errand_close(e);
}

/* What one schedule has done, against its own slots, counted by hand. */
static void entry_judge(struct er_store *store, const struct errand_schedule *s,
                        int64_t since_ms, long period_s, int64_t late_most_ms)
{
    struct errand_arena *arena = er_arena_new();
    const struct errand_list_params p = {.filter.name = s->name, .max = WORLD_IDS_MAX};
    int64_t period_ms = period_s * 1000,
            first = since_ms / period_ms * period_ms + period_ms;
    struct errand_list_result jobs;
    struct errand_error err = {0};

    if (er_store_list(store, &p, arena, &jobs, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(s->missed_n, 0);
    assert_int_equal(s->last_slot_ms % period_ms, 0);
    if ((int64_t)jobs.jobs_n != (s->last_slot_ms - first) / period_ms + 1)
        fail_msg("%s: %zu jobs for %lld slots", s->name, jobs.jobs_n,
                 (long long)((s->last_slot_ms - first) / period_ms + 1));
    for (size_t i = 0; i < jobs.jobs_n; i++) {
        int64_t late_ms = jobs.jobs[i].created_ms - (first + (int64_t)i * period_ms);
        if (late_ms < 0 || late_ms > late_most_ms)
            fail_msg("%s: job %zu was made %lld ms after its slot", s->name, i,
                     (long long)late_ms);
    }
    er_arena_free(arena);
}

static int64_t since_of(const struct errand_schedule *s)
{
    const char *text = memmem(s->spec.ptr, s->spec.len, "\"since\":", 8);

    assert_non_null(text);
    return strtoll(text + 8, NULL, 10);
}

/* Exactly one job for each slot up to the last one that is recorded. */
static int64_t schedules_judge(const struct world *w, int64_t late_most_ms)
{
    struct errand_arena *arena = er_arena_new();
    struct er_store *store = world_store(w);
    struct errand_schedules_result rows;
    struct errand_check_result check;
    struct errand_error err = {0};
    int64_t last_ms = 0;

    assert_int_equal(er_store_schedules(store, arena, &rows, &err), 0);
    assert_int_equal(rows.schedules_n, ENTRIES);
    for (long i = 0; i < ENTRIES; i++) {
        const struct errand_schedule *s = &rows.schedules[i];
        entry_judge(store, s, since_of(s), every(i), late_most_ms);
        last_ms = s->last_slot_ms > last_ms ? s->last_slot_ms : last_ms;
    }
    assert_int_equal(er_store_check(store, 0, arena, &check, &err), 0);
    assert_int_equal(check.findings_n, 0);
    er_arena_free(arena);
    er_store_close(store);
    return last_ms;
}

static void stop_all(pid_t *schedulers)
{
    for (int i = 0; i < SCHEDULERS; i++) {
        kill(schedulers[i], SIGTERM);
        kill(schedulers[i], SIGCONT);
    }
    for (int i = 0; i < SCHEDULERS; i++)
        assert_int_equal(process_wait(schedulers[i], PATIENCE_MS), 0);
}

/* T33. One is killed every few seconds, one sleeps through a while and wakes up. */
TEST(t33_every_slot_makes_exactly_one_job)
{
    const int64_t run_ms = scaled(12000, 360000), stop_from_ms = scaled(2000, 20000),
                  stop_to_ms = scaled(7000, 110000), kill_each_ms = scaled(1000, 5000);
    int64_t start_ms, kill_ms, now_ms;
    int64_t woken_ms = 0;
    bool is_stopped = false, is_over = false;
    pid_t schedulers[SCHEDULERS];
    struct world w;

    world_make(&w, "t33");
    er_store_close(world_store(&w));
    entries_put(&w);
    for (int i = 0; i < SCHEDULERS; i++)
        schedulers[i] = world_start(&w, schedule_args);
    start_ms = mono_ms();
    for (kill_ms = start_ms + kill_each_ms; (now_ms = mono_ms()) < start_ms + run_ms;) {
        sleep_ms(20);
        if (!is_stopped && now_ms >= start_ms + stop_from_ms) {
            kill(schedulers[0], SIGSTOP);
            is_stopped = true;
        }
        if (!is_over && now_ms >= start_ms + stop_to_ms) {
            kill(schedulers[0], SIGCONT);
            is_over = true;
            woken_ms = er_clock_wall_ms(NULL);
        }
        if (now_ms < kill_ms)
            continue;
        /* The one that sleeps is left to wake up. */
        int victim = is_stopped && !is_over ? 1 + (int)world_random(&w, SCHEDULERS - 1)
                                            : (int)world_random(&w, SCHEDULERS);
        kill(schedulers[victim], SIGKILL);
        process_wait(schedulers[victim], PATIENCE_MS);
        schedulers[victim] = world_start(&w, schedule_args);
        kill_ms += kill_each_ms;
    }
    stop_all(schedulers);
    /* They have gone on after that, too. */
    assert_true(is_over);
    assert_true(schedules_judge(&w, PATIENCE_MS) > woken_ms);
    world_free(&w);
}

/* T03 for slots: an end inside or right after the transaction that records one. */
static void killed_at(const char *point, long pass)
{
    pid_t scheduler;
    struct world w;
    char spec[128];

    world_make(&w, point);
    er_store_close(world_store(&w));
    entries_put(&w);
    snprintf(spec, sizeof spec, "%s=exit@%ld", point, pass);
    setenv("ERRAND_FAILPOINTS", spec, 1);
    scheduler = world_start(&w, schedule_args);
    unsetenv("ERRAND_FAILPOINTS");
    /* The slots come when they come, several a second. */
    assert_int_equal(process_wait(scheduler, PATIENCE_MS + pass * 1000), 137);
    scheduler = world_start(&w, schedule_args);
    sleep_ms(1500);
    kill(scheduler, SIGTERM);
    assert_int_equal(process_wait(scheduler, PATIENCE_MS), 0);
    schedules_judge(&w, PATIENCE_MS);
    world_free(&w);
}

TEST(t03_an_end_at_any_point_of_a_slot_skips_nothing_and_doubles_nothing)
{
#ifdef ERRAND_FAILPOINTS
    static const char *const points[] = {"fire-before-commit", "fire-after-commit"};

    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        for (long pass = 1; pass <= scaled(1, 25); pass++)
            killed_at(points[i], is_long() ? pass * 7 : 20);
#else
    (void)killed_at;
    skip();
#endif
}

/* ------------------------------------------------------------------ T37 */

/* A schedule each five minutes, of which nobody has looked after the last `n` slots; the
 * last of them was two to three minutes ago. */
static void neglected_put(const struct world *w, const char *name, const char *missed,
                          long n)
{
    struct er_store *store = world_store(w);
    int64_t now_ms = er_clock_wall_ms(NULL), last_ms;
    struct errand_schedule row = {.name = name};
    struct errand_error err = {0};
    char spec[256], minutes[64] = "";
    size_t len = 0;

    last_ms = (now_ms / 60000 - 2) * 60000;
    for (long m = last_ms / 60000 % 5; m < 60; m += 5)
        len += (size_t)snprintf(minutes + len, sizeof minutes - len, "%s%ld",
                                len ? "," : "", m);
    snprintf(
        spec, sizeof spec,
        "{\"cron\":\"%s * * * *\",\"missed\":\"%s\",\"from\":\"hand\",\"since\":%lld}",
        minutes, missed, (long long)(last_ms - n * 300000));
    row.spec = (struct errand_slice){spec, strlen(spec)};
    assert_int_equal(er_store_schedule_put(store, &row, &err), 0);
    er_store_close(store);
}

static int missed_events(const struct world *w, const char *says)
{
    const struct errand_events_params p = {.max = 1000};
    struct errand_arena *arena = er_arena_new();
    struct er_store *store = world_store(w);
    struct errand_events_result got;
    struct errand_error err = {0};
    int n = 0;

    assert_int_equal(er_store_events_read(store, &p, arena, &got, &err), 0);
    for (size_t i = 0; i < got.events_n; i++) {
        const struct errand_event *event = &got.events[i];
        if (strcmp(event->type, "schedule:missed") != 0)
            continue;
        n++;
        if (!memmem(event->error.ptr, event->error.len, says, strlen(says)))
            fail_msg("'%.*s' does not say %s", (int)event->error.len, event->error.ptr,
                     says);
    }
    er_store_close(store);
    er_arena_free(arena);
    return n;
}

static void caught_up(const char *missed, long slots, int64_t jobs, const char *says)
{
    pid_t one, other;
    struct world w;
    int64_t until;

    world_make(&w, missed);
    neglected_put(&w, "neglected", missed, slots);
    one = world_start(&w, schedule_args);
    other = world_start(&w, schedule_args);
    for (until = mono_ms() + PATIENCE_MS; mono_ms() < until; sleep_ms(50))
        if (world_count(&w, ERRAND_READY) >= jobs && missed_events(&w, says) > 0)
            break;
    sleep_ms(500); /* time to do too much */
    kill(one, SIGTERM);
    kill(other, SIGTERM);
    assert_int_equal(process_wait(one, PATIENCE_MS), 0);
    assert_int_equal(process_wait(other, PATIENCE_MS), 0);
    assert_int_equal(world_count(&w, ERRAND_READY), jobs);
    assert_int_equal(missed_events(&w, says), 1);
    world_free(&w);
}

TEST(t37_skip_leaves_out_what_was_missed)
{
    caught_up("skip", 36, 0, "missed=36");
}

TEST(t37_once_makes_one_job_of_it)
{
    caught_up("once", 36, 1, "missed=36");
}

TEST(t37_all_makes_up_for_each)
{
    caught_up("all", 36, 36, "missed=36");
}

TEST(t37_a_month_is_a_hundred_jobs_and_one_event)
{
    caught_up("all", 8640, 100, "missed=8640");
}

TEST_MAIN()
