/* health.c: when the queues are well, and that finding out costs the same with ten jobs
 * and with ten thousand. */
#include "client/client_test.h"

#include <math.h>
#include <sqlite3.h>

#include "client/health.h"
#include "errand/testing.h"
#include "store/internal.h"
#include "store/sqlite/sqlite.h"

enum { SECOND = 1000, MINUTE = 60000, HOUR = 3600000 };

static struct errand_health *health;

static struct errand_health *look_with(const struct errand_health_limits *limits)
{
    errand_health_free(health);
    health = NULL;
    if (errand_health(e, limits, &health, &err) < 0)
        fail_msg("%s", err.message);
    return health;
}

/* The status, and whether the one alert there is says this. */
static void assert_one(enum errand_health_status status, const char *what,
                       const char *says)
{
    look_with(NULL);
    if (health->alerts_n != 1)
        fail_msg("%zu alerts, the first: %s", health->alerts_n,
                 health->alerts_n ? health->alerts[0].text : "");
    assert_string_equal(errand_health_name(health->status), errand_health_name(status));
    assert_string_equal(health->alerts[0].what, what);
    if (!strstr(health->alerts[0].text, says))
        fail_msg("'%s' is not in '%s'", says, health->alerts[0].text);
}

static void assert_well(void)
{
    look_with(NULL);
    if (health->alerts_n)
        fail_msg("%s", health->alerts[0].text);
    assert_int_equal(health->status, ERRAND_HEALTHY);
}

static void at(int64_t ms)
{
    clock_of_test.fixed_ms = INT64_C(1700000000000) + ms;
}

/* All at the time of the test, not of the machine. */
static void push_n(size_t n, const char *queue, enum errand_state state)
{
    static const char data[] = "{}";
    struct errand_push_job *jobs = errand_arena_alloc(test_arena, n * sizeof *jobs);
    struct errand_push_params p = {
        .now_ms = clock_of_test.fixed_ms, .jobs = jobs, .jobs_n = n};
    struct errand_push_result ret = {0};
    struct errand_exchange_params x = {.now_ms = clock_of_test.fixed_ms,
                                       .max = n,
                                       .lease_ms = HOUR,
                                       .worker = "w",
                                       .queues = &queue,
                                       .queues_n = 1};
    struct errand_exchange_result got = {0};
    struct errand_outcome *o;

    for (size_t i = 0; i < n; i++)
        jobs[i] = (struct errand_push_job){
            .name = "a", .queue = queue, .data = {data, 2}, .tries = 1};
    assert_int_equal(er_store_push(er_client_store(e), &p, test_arena, &ret, &err), 0);
    if (state == ERRAND_READY)
        return;
    assert_int_equal(er_store_exchange(er_client_store(e), &x, test_arena, &got, &err),
                     0);
    assert_int_equal(got.jobs_n, n);
    o = errand_arena_alloc(test_arena, n * sizeof *o);
    for (size_t i = 0; i < n; i++)
        o[i] = (struct errand_outcome){.token = got.jobs[i].token,
                                       .key = got.jobs[i].key,
                                       .id = got.jobs[i].id,
                                       .kind = state == ERRAND_FAILED ? ERRAND_OUT_FAIL
                                                                      : ERRAND_OUT_DONE};
    x = (struct errand_exchange_params){
        .now_ms = clock_of_test.fixed_ms, .outcomes = o, .outcomes_n = n};
    assert_int_equal(er_store_exchange(er_client_store(e), &x, test_arena, &got, &err),
                     0);
}

static void beat(const char *worker, const char *info)
{
    struct errand_beat_params p = {.now_ms = clock_of_test.fixed_ms,
                                   .worker = worker,
                                   .info = {info, strlen(info)},
                                   .ttl_ms = 30 * SECOND};
    struct errand_beat_result ret = {0};

    assert_int_equal(er_store_beat(er_client_store(e), &p, test_arena, &ret, &err), 0);
}

static void ended(int64_t done, int64_t failed, int64_t retried)
{
    struct errand_stat stat = {.minute_ms = clock_of_test.fixed_ms,
                               .queue = "default",
                               .name = "a",
                               .done = done,
                               .failed = failed,
                               .retried = retried,
                               .run_hist = {[3] = done},
                               .wait_hist = {[0] = done}};
    struct errand_stats_params p = {
        .now_ms = clock_of_test.fixed_ms, .add = &stat, .add_n = 1};

    assert_int_equal(er_store_stats_add(er_client_store(e), &p, &err), 0);
}

static void end(void)
{
    errand_health_free(health);
    health = NULL;
}

/* ------------------------------------------------------------------ the rules */

CLAIM(an_empty_store_is_well)
{
    assert_well();
    assert_int_equal(health->queues_n, 0);
    assert_true(errand_is_healthy(e, NULL));
    end();
}

CLAIM(too_many_ready_jobs_of_a_queue_are_told)
{
    at(0);
    push_n(999, "mail", ERRAND_READY);
    push_n(999, "other", ERRAND_READY);
    assert_well();
    push_n(1, "mail", ERRAND_READY);
    assert_one(ERRAND_DEGRADED, "ready", "'mail' has 1000 ready jobs");
    assert_string_equal(health->alerts[0].queue, "mail");
    assert_int_equal(health->queues[0].status, ERRAND_DEGRADED);
    assert_int_equal(health->queues[1].status, ERRAND_HEALTHY);
    assert_int_equal(health->metrics.counts[ERRAND_READY], 1999);
    assert_false(errand_is_healthy(e, NULL));
    push_n(4000, "mail", ERRAND_READY);
    assert_one(ERRAND_UNHEALTHY, "ready", "5000");
    end();
}

CLAIM(failed_jobs_of_all_queues_count_together)
{
    at(0);
    push_n(4, "mail", ERRAND_FAILED);
    push_n(5, "other", ERRAND_FAILED);
    assert_well();
    push_n(1, "other", ERRAND_FAILED);
    assert_one(ERRAND_DEGRADED, "failed", "10 failed jobs");
    assert_string_equal(health->alerts[0].queue, "other");
    push_n(90, "mail", ERRAND_FAILED);
    assert_one(ERRAND_UNHEALTHY, "failed", "100 failed jobs");
    end();
}

CLAIM(a_job_that_waits_too_long_is_told)
{
    at(0);
    push_n(1, "mail", ERRAND_READY);
    at(HOUR - 1);
    beat("w", "{}");
    assert_well();
    at(HOUR);
    assert_one(ERRAND_DEGRADED, "oldest", "'mail'");
    at(24 * HOUR - 1);
    beat("w", "{}");
    assert_one(ERRAND_DEGRADED, "oldest", "'mail'");
    at(24 * HOUR);
    assert_one(ERRAND_UNHEALTHY, "oldest", "'mail'");
    end();
}

CLAIM(attempts_that_fail_are_told_by_their_share)
{
    at(0);
    ended(1000, 1, 0);
    assert_well();
    assert_int_equal(health->metrics.done, 1000);
    assert_int_equal(health->metrics.run_p50_ms, 8);
    assert_int_equal(health->metrics.wait_p99_ms, 1);
    ended(0, 0, 111);
    assert_one(ERRAND_DEGRADED, "errors", "112 of 1112 attempts");
    ended(0, 1000, 0);
    assert_one(ERRAND_UNHEALTHY, "errors", "5 min");
    at(7 * MINUTE); /* out of the window */
    assert_well();
    assert_int_equal(health->metrics.run_p50_ms, -1);
    end();
}

CLAIM(a_few_attempts_say_nothing)
{
    at(0);
    ended(0, 19, 0);
    assert_well();
    ended(0, 1, 0);
    assert_one(ERRAND_UNHEALTHY, "errors", "20 of 20");
    end();
}

CLAIM(ready_jobs_without_a_worker_are_told_after_a_minute)
{
    at(0);
    push_n(1, "mail", ERRAND_READY);
    beat("elsewhere", "{\"queues\":[\"other\"]}");
    at(59 * SECOND);
    beat("elsewhere", "{\"queues\":[\"other\"]}");
    assert_well();
    at(60 * SECOND);
    assert_one(ERRAND_UNHEALTHY, "no-worker", "'mail'");
    beat("here", "{\"queues\":[\"mail\"]}");
    assert_well();
    assert_int_equal(health->queues[0].workers_n, 1);
    at(90 * SECOND); /* it has died: not a minute ago */
    assert_well();
    at(120 * SECOND);
    assert_one(ERRAND_UNHEALTHY, "no-worker", "'mail'");
    end();
}

CLAIM(a_worker_that_takes_no_jobs_counts_as_none)
{
    at(0);
    push_n(1, "mail", ERRAND_READY);
    beat("quiet", "{\"state\":\"quiet\"}");
    at(61 * SECOND);
    beat("quiet", "{\"state\":\"quiet\"}");
    assert_well(); /* until now it might have taken them */
    at(130 * SECOND);
    assert_one(ERRAND_UNHEALTHY, "no-worker", "'mail'");
    assert_string_equal(health->workers[0].state, "gone");
    end();
}

CLAIM(a_worker_that_went_a_moment_ago_is_not_missed_yet)
{
    at(0);
    push_n(1, "default", ERRAND_READY);
    at(2 * HOUR / 4);
    ended(1, 0, 0); /* the worker has said goodbye */
    at(2 * HOUR / 4 + 30 * SECOND);
    assert_well();
    at(2 * HOUR / 4 + 3 * MINUTE);
    assert_one(ERRAND_UNHEALTHY, "no-worker", "'default'");
    end();
}

/* One job that is not settled, as a worker leaves it that was killed. */
static void reserve_one(const char *worker)
{
    struct errand_exchange_params x = {.now_ms = clock_of_test.fixed_ms,
                                       .max = 1,
                                       .lease_ms = 30 * SECOND,
                                       .worker = worker};
    struct errand_exchange_result got = {0};

    assert_int_equal(er_store_exchange(er_client_store(e), &x, test_arena, &got, &err),
                     0);
    assert_int_equal(got.jobs_n, 1);
}

CLAIM(what_the_dead_were_running_is_told_when_nobody_takes_it_up)
{
    at(0);
    push_n(1, "mail", ERRAND_READY);
    beat("w", "{}");
    reserve_one("w");
    at(59 * SECOND);
    assert_well();
    at(60 * SECOND);
    assert_one(ERRAND_UNHEALTHY, "no-worker", "1 job counts as running");
    assert_non_null(strstr(health->workers[0].trouble, "its 1 running job comes back"));
    at(3 * HOUR); /* the worker is forgotten, and the job is not */
    assert_one(ERRAND_UNHEALTHY, "no-worker", "3 h");
    beat("another", "{}");
    assert_well();
    end();
}

CLAIM(a_schedule_that_nobody_fires_is_told)
{
    struct errand_schedule_spec nightly = {.cron = "* * * * *", .job = "a"};

    at(0);
    assert_int_equal(errand_schedule_put(e, "nightly", &nightly, &err), 0);
    at(MINUTE);
    assert_well();
    at(3 * MINUTE);
    assert_one(ERRAND_DEGRADED, "no-scheduler", "'nightly' should have fired");
    assert_int_equal(errand_schedule_pause(e, "nightly", &err), 0);
    assert_well();
    end();
}

CLAIM(a_paused_queue_needs_no_worker_but_is_not_forgotten)
{
    at(0);
    push_n(1, "mail", ERRAND_READY);
    assert_int_equal(er_store_queue_pause(er_client_store(e), "mail", ERRAND_FOREVER,
                                          clock_of_test.fixed_ms, &err),
                     0);
    at(2 * MINUTE);
    assert_well();
    assert_true(health->queues[0].is_paused);
    at(HOUR);
    assert_one(ERRAND_DEGRADED, "oldest", "paused");
    end();
}

CLAIM(a_worker_that_can_start_no_runner_is_told)
{
    at(0);
    beat("w7", "{\"start_error\":\"exec: no such file\"}");
    assert_one(ERRAND_UNHEALTHY, "blocked", "w7: no runner starts: exec: no such file");
    assert_string_equal(health->workers[0].state, "blocked");
    end();
}

CLAIM(a_worker_with_a_broken_file_is_told)
{
    at(0);
    beat("w7", "{\"job_error\":\"app/Jobs/a.c:3:1: error\"}");
    assert_one(ERRAND_DEGRADED, "job-file",
               "w7 cannot run every job: app/Jobs/a.c:3:1: error");
    end();
}

CLAIM(a_store_that_took_the_place_of_another_is_told)
{
    at(0);
    beat("w7", "{\"other_store_since\":\"2026-11-24T03:00:00.000Z\"}");
    assert_one(ERRAND_DEGRADED, "other-store",
               "w7 found the store to be another one since 2026-11-24T03:00:00.000Z");
    end();
}

CLAIM(a_worker_without_a_key_is_told)
{
    at(0);
    beat("w7", "{\"key_error\":\"the data of 'a' is encrypted\"}");
    assert_one(ERRAND_DEGRADED, "keys",
               "w7 leaves encrypted jobs waiting: the data of 'a' is encrypted");
    end();
}

CLAIM(the_worst_is_told_first)
{
    at(0);
    push_n(1000, "mail", ERRAND_READY);
    beat("w7", "{\"start_error\":\"no\"}");
    look_with(NULL);
    assert_int_equal(health->alerts_n, 2);
    assert_string_equal(health->alerts[0].what, "blocked");
    assert_string_equal(health->alerts[1].what, "ready");
    assert_int_equal(health->status, ERRAND_UNHEALTHY);
    end();
}

/* ------------------------------------------------------------------ out of reach */

TEST(a_store_that_cannot_be_opened_is_unhealthy_and_no_error)
{
    struct errand_health *h = NULL;

    assert_int_equal(errand_health_at("sqlite:/nowhere/at/all.db", NULL, NULL, &h, &err),
                     0);
    assert_int_equal(h->status, ERRAND_UNHEALTHY);
    assert_int_equal(h->alerts_n, 1);
    assert_string_equal(h->alerts[0].what, "store");
    assert_non_null(strstr(h->alerts[0].text, "/nowhere/at/all.db"));
    errand_health_free(h);
    assert_int_equal(errand_health(NULL, NULL, &h, &err), 0);
    assert_int_equal(h->status, ERRAND_UNHEALTHY);
    errand_health_free(h);
    assert_false(errand_is_healthy(NULL, NULL));
}

TEST(a_store_that_goes_away_is_unhealthy)
{
    char path[FOLDER_MAX + 16], url[FOLDER_MAX + 32], folder[FOLDER_MAX];
    struct errand_health *h = NULL;
    FILE *f;

    assert_int_equal(folder_make(folder, "health"), 0);
    snprintf(path, sizeof path, "%s/a.db", folder);
    snprintf(url, sizeof url, "sqlite:%s", path);
    e = errand_open(url, NULL, &err);
    assert_non_null(e);
    assert_true(errand_is_healthy(e, NULL));
    errand_close(e);
    f = fopen(path, "w"); /* no longer a database */
    for (int i = 0; i < 8192; i++)
        fputc('x', f);
    fclose(f);
    assert_int_equal(errand_health_at(url, NULL, NULL, &h, &err), 0);
    assert_int_equal(h->status, ERRAND_UNHEALTHY);
    assert_string_equal(h->alerts[0].what, "store");
    errand_health_free(h);
    e = NULL;
    assert_int_equal(folder_remove(folder), 0);
}

static void lock_fails(int code)
{
    const struct errand_test_failure failure = {
        .code = code, .call = "lock", .times = -1};

    assert_int_equal(errand_test_fail(e, &failure, &err), 0);
}

CLAIM(a_store_that_is_read_but_takes_nothing_is_unhealthy)
{
    at(0);
    lock_fails(ERRAND_EFULL);
    assert_one(ERRAND_UNHEALTHY, "store", "nothing can be stored: ");
    lock_fails(0);
    assert_well();
    end();
}

CLAIM(a_store_that_somebody_else_keeps_busy_is_degraded)
{
    at(0);
    lock_fails(ERRAND_EBUSY);
    assert_one(ERRAND_DEGRADED, "store", "nothing can be stored: ");
    end();
}

CLAIM(a_look_leaves_no_lock_behind)
{
    struct errand_lock_params lock = {
        .key = {.ptr = "errand:health", .len = 13}, .owner = "else", .ttl_ms = 1000};
    struct errand_lock_result got = {0};

    at(0);
    assert_well();
    assert_int_equal(er_store_lock(er_client_store(e), &lock, test_arena, &got, &err), 0);
    assert_true(got.token > 0);
    end();
}

/* ------------------------------------------------------------------ limits */

static void refuse_limits(struct errand_health_limits limits, const char *says)
{
    struct errand_health *h = NULL;

    assert_int_equal(errand_health(e, &limits, &h, &err), ERRAND_EINVAL);
    if (!strstr(err.message, says))
        fail_msg("'%s' is not in '%s'", says, err.message);
}

CLAIM(limits_that_make_no_sense_are_refused)
{
    refuse_limits((struct errand_health_limits){.ready_degraded = 6000}, "ready");
    refuse_limits((struct errand_health_limits){.failed_unhealthy = -1}, "failed");
    refuse_limits((struct errand_health_limits){.errors_degraded = 0.6}, "errors");
    refuse_limits((struct errand_health_limits){.errors_unhealthy = 2}, "errors");
    refuse_limits((struct errand_health_limits){.errors_unhealthy = NAN}, "errors");
    refuse_limits((struct errand_health_limits){.errors_window_ms = 5}, "errors_window");
    refuse_limits((struct errand_health_limits){.no_worker_ms = -5}, "no_worker");
    refuse_limits((struct errand_health_limits){.oldest_degraded_ms = 25 * HOUR},
                  "oldest");
    assert_false(
        errand_is_healthy(e, &(struct errand_health_limits){.no_worker_ms = -1}));
}

CLAIM(limits_of_the_call_count)
{
    struct errand_health_limits limits = {.ready_degraded = 2, .ready_unhealthy = 3};

    at(0);
    push_n(2, "mail", ERRAND_READY);
    assert_int_equal(look_with(&limits)->status, ERRAND_DEGRADED);
    push_n(1, "mail", ERRAND_READY);
    assert_int_equal(look_with(&limits)->status, ERRAND_UNHEALTHY);
    end();
}

/* ------------------------------------------------------------------ what it costs */

static int steps;

static int step(void *arg)
{
    (void)arg;
    steps++;
    return 0;
}

/* Steps of SQLite's machine, which counts rows and not time. */
static int steps_of_a_look(void)
{
    struct er_sqlite *conn = (struct er_sqlite *)er_client_store(e)->conn;

    look_with(NULL);
    steps = 0;
    sqlite3_progress_handler(conn->db.handle, 1, step, NULL);
    look_with(NULL);
    sqlite3_progress_handler(conn->db.handle, 0, NULL, NULL);
    end();
    return steps;
}

CLAIM(it_costs_the_same_with_ten_jobs_and_with_ten_thousand)
{
    int few, many;

    if (strcmp(er_store_driver(er_client_store(e))->name, "sqlite") != 0)
        return;
    at(0);
    beat("w", "{}");
    push_n(10, "mail", ERRAND_READY);
    push_n(10, "other", ERRAND_FAILED);
    push_n(10, "third", ERRAND_COMPLETED);
    ended(10, 0, 0);
    few = steps_of_a_look();
    push_n(4000, "mail", ERRAND_READY);
    push_n(4000, "other", ERRAND_FAILED);
    push_n(4000, "third", ERRAND_COMPLETED);
    ended(4000, 0, 0);
    many = steps_of_a_look();
    assert_true(few > 20);
    if (many > few + 20)
        fail_msg("%d steps with few jobs, %d with many", few, many);
}

/* ------------------------------------------------------------------ stats */

CLAIM(stats_are_summed_up_as_asked)
{
    struct errand_stats *stats = NULL;

    at(0);
    ended(3, 1, 0);
    at(MINUTE);
    ended(4, 0, 2);
    assert_int_equal(errand_stats(e, NULL, &stats, &err), 0);
    assert_int_equal(stats->rows_n, 1);
    assert_int_equal(stats->rows[0].done, 7);
    assert_int_equal(stats->rows[0].failed, 1);
    assert_int_equal(stats->rows[0].run_hist[3], 7);
    assert_string_equal(stats->rows[0].queue, "");
    errand_stats_free(stats);
    assert_int_equal(errand_stats(e,
                                  &(struct errand_stats_query){
                                      .by_minute = true,
                                      .by_queue = true,
                                      .since_ms = clock_of_test.fixed_ms - MINUTE},
                                  &stats, &err),
                     0);
    assert_int_equal(stats->rows_n, 1);
    assert_int_equal(stats->rows[0].done, 4);
    assert_string_equal(stats->rows[0].queue, "default");
    errand_stats_free(stats);
    errand_stats_free(NULL);
}

TEST(a_quantile_is_the_upper_end_of_its_bucket)
{
    int64_t h[ERRAND_HISTOGRAM_N] = {0};

    assert_int_equal(errand_stat_quantile(h, 0.5), -1);
    h[0] = 99;
    h[5] = 1;
    assert_int_equal(errand_stat_quantile(h, 0.5), 1);
    assert_int_equal(errand_stat_quantile(h, 0.99), 1);
    assert_int_equal(errand_stat_quantile(h, 1), 32);
}

TEST_MAIN()
