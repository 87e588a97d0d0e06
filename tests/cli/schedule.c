/* schedule.c: the schedules of a project, as a user has them. */
#include "cli/shell.h"

#include <sqlite3.h>

static int setup(void **state)
{
    shell_setup(state);
    assert_code(sh("mkdir -p app/Jobs; : >errand.yml"), 0);
    return 0;
}
TEST_FIXTURE(setup, shell_teardown)

static const char report[] = "printf '#!/bin/sh\\n# errand: schedule=\"0 8 * * *\" "
                             "zone=America/New_York\\necho report\\n' "
                             ">app/Jobs/daily-report.sh; "
                             "chmod +x app/Jobs/daily-report.sh; ";

/* Runs the scheduler until `test` is true, at most ten seconds; what it says is in err.
 */
static struct run while_scheduling(const char *with, const char *test)
{
    return sh(
        "errand queue:schedule %s & s=$!; for i in $(seq 100); do if %s; then break; "
        "fi; sleep 0.1; done; kill $s; wait $s",
        with, test);
}

TEST(a_schedule_is_put_listed_and_deleted)
{
    struct run r = sh("errand schedule:put nightly '0 3 * * *' '{\"a\": 1}' --job=report "
                      "--zone=Europe/Berlin --overlap=allow --missed=all --missed-max=7 "
                      "--jitter=2m --queue=reports --tag=a,b");
    json_t *line;

    assert_code(r, 0);
    assert_has(r.out, "schedule 'nightly' is put, next at ");
    assert_has(r.err, "no job named 'report' here");
    line = json_line(sh("errand schedule:list --json"), 0);
    assert_json_string(line, "name", "nightly");
    assert_json_string(line, "job", "report");
    assert_json_string(line, "cron", "0 3 * * *");
    assert_json_string(line, "zone", "Europe/Berlin");
    assert_true(json_is_string(json_object_get(line, "next_run_at")));
    assert_true(json_is_null(json_object_get(line, "last_run_at")));
    assert_true(json_is_false(json_object_get(line, "paused")));
    assert_json_int(json_object_get(line, "data"), "a", 1);
    assert_json_string(line, "overlap", "allow");
    assert_json_string(line, "missed", "all");
    assert_json_int(line, "missed_max", 7);
    assert_json_int(line, "jitter_ms", 120000);
    assert_json_string(line, "from", "hand");
    json_decref(line);
    assert_has(sh("errand schedule:list").out, "Europe/Berlin");
    assert_code(sh("errand schedule:delete nightly"), 0);
    assert_has(sh("errand schedule:list").err, "no schedules");
}

/* As if the scheduler had died ten minutes ago. */
static void let_all_be_due(void)
{
    char path[PATH_MAX + 16];
    sqlite3 *db = NULL;

    snprintf(path, sizeof path, "%s/errand.db", shell_folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "UPDATE errand_schedules SET next_ms=(unixepoch()-600)*1000, "
                     "spec=CAST(json_set(CAST(spec AS TEXT), '$.since', "
                     "(unixepoch()-172800)*1000) AS BLOB)",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
}

TEST(that_no_scheduler_runs_is_told_by_list_health_and_doctor)
{
    struct run r;

    assert_code(sh("errand schedule:put nightly '0 3 * * *'"), 0);
    assert_lacks(sh("errand schedule:list").err, "no scheduler runs");
    assert_has(sh("errand doctor").out, "ok:   schedules: 1, none is late");
    let_all_be_due();
    r = sh("errand schedule:list");
    assert_has(r.out, "10 min ago");
    assert_has(r.err, "no scheduler runs");
    assert_has(sh("errand schedule:list --json").out, "\"overdue_since\":\"2");
    r = sh("errand queue:health");
    assert_code(r, 1);
    assert_has(r.out, "'nightly' should have fired 10 min ago: no scheduler runs");
    r = sh("errand doctor");
    assert_code(r, 0);
    assert_has(r.out, "warn: schedules: no scheduler runs: 'nightly' should have fired");
    while_scheduling("", "errand schedule:list --json | grep -q 'overdue_since\":null'");
    assert_code(sh("errand queue:health"), 0);
}

TEST(a_schedule_is_paused_and_resumed)
{
    json_t *line;

    assert_code(sh("errand schedule:put nightly @daily 2>/dev/null"), 0);
    assert_has(sh("errand schedule:pause Nightly").out, "paused");
    line = json_line(sh("errand schedule:list --json"), 0);
    assert_true(json_is_true(json_object_get(line, "paused")));
    json_decref(line);
    assert_has(sh("errand schedule:list").out, "paused");
    line = json_line(sh("errand schedule:resume nightly --json"), 0);
    assert_true(json_is_false(json_object_get(line, "paused")));
    json_decref(line);
}

TEST(triggering_prints_the_id_of_a_job_that_is_there)
{
    const char *id;

    assert_code(sh("errand schedule:put nightly @daily '{\"a\":1}' --job=report "
                   "2>/dev/null"),
                0);
    id = word(sh("errand schedule:trigger nightly"));
    assert_has(sh("errand queue:inspect %s", id).out, "report");
    assert_int_equal(lines_n(sh("errand queue:list --json")), 1);
}

TEST(what_is_wrong_is_a_matter_of_usage_and_has_its_reason)
{
    static const struct {
        const char *args, *says;
    } bad[] = {
        {"put x '61 * * * *'", "minute field"},
        {"put x '30 2 31 4 *'", "never fires"},
        {"put x '* * * *'", "needs 5"},
        {"put x @daily --zone=Mars/Base", "no time zone 'Mars/Base'"},
        {"put x @daily '{oops'", "data"},
        {"put x @daily --overlap=often", "overlap"},
        {"put x @daily --missed-max=5", "missed_max"},
        {"put 'a b' @daily", "schedule name"},
        {"put x @daily --jitter=2d", "jitter"},
        {"put x @daily --unique-for=60", "--unique-for wants --unique"},
        {"put x @daily --backoff-strategy=odd", "exponential"},
        {"put x", "CRON"},
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct run r = sh("errand schedule:%s", bad[i].args);
        assert_code(r, 2);
        assert_has(r.err, bad[i].says);
    }
    assert_string_equal(sh("errand schedule:list --json").out, "");
}

TEST(a_schedule_that_is_not_there_is_not_found)
{
    static const char *const commands[] = {"trigger", "pause", "resume", "delete",
                                           "next"};

    assert_code(sh("errand schedule:put y @daily 2>/dev/null"), 0);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct run r = sh("errand schedule:%s x", commands[i]);
        assert_code(r, 3);
        assert_has(r.err, "there is no schedule 'x'");
    }
}

TEST(the_scheduler_puts_what_the_project_says_and_ends_with_term)
{
    struct run r =
        sh("%s printf 'schedules:\\n  tick:\\n    cron: \"* * * * * *\"\\n    job: "
           "daily-report\\n' >errand.yml",
           report);
    json_t *first, *second;

    assert_code(r, 0);
    r = while_scheduling("", "errand queue:list --json 2>/dev/null | grep -q ready");
    assert_code(r, 0);
    assert_has(r.err, "scheduling on sqlite:");
    assert_has(r.err, "tick: dispatched ");
    assert_has(r.err, "stopping");
    r = sh("errand schedule:list --json");
    first = json_line(r, 0);
    second = json_line(r, 1);
    assert_json_string(first, "name", "daily-report");
    assert_json_string(first, "from", "job");
    assert_json_string(first, "zone", "America/New_York");
    assert_json_string(second, "name", "tick");
    assert_json_string(second, "from", "config");
    assert_true(json_is_string(json_object_get(second, "last_run_at")));
    json_decref(first);
    json_decref(second);
}

TEST(what_is_no_longer_said_goes_away)
{
    assert_code(sh("%s printf 'schedules:\\n  nightly:\\n    cron: 0 3 * * *\\n    job: "
                   "daily-report\\n' >errand.yml",
                   report),
                0);
    while_scheduling("--quiet",
                     "errand schedule:list --json 2>/dev/null | grep -q nightly");
    assert_int_equal(lines_n(sh("errand schedule:list --json")), 2);
    assert_has(sh("errand schedule:delete nightly").err,
               "comes back when that is read again");
    assert_code(sh(": >errand.yml; rm app/Jobs/daily-report.sh; "
                   "errand schedule:put mine @daily 2>/dev/null"),
                0);
    while_scheduling("--quiet",
                     "! errand schedule:list --json 2>/dev/null | grep -q daily-report");
    assert_int_equal(lines_n(sh("errand schedule:list --json")), 1);
}

TEST(hup_reads_errand_yml_again_and_one_that_is_wrong_changes_nothing)
{
    struct run r = sh(
        "printf 'schedules:\\n  one: { cron: 0 3 * * * }\\n' >errand.yml; "
        "errand queue:schedule & s=$!; "
        "wait_for() { for i in $(seq 100); do errand schedule:list --json 2>/dev/null | "
        "grep -q $1 && return; sleep 0.1; done; }; wait_for one; "
        "printf 'schedules:\\n  one: { cron: 61 3 * * * }\\n' >errand.yml; "
        "kill -HUP $s; sleep 1; "
        "printf 'schedules:\\n  two: { cron: 0 3 * * * }\\n' >errand.yml; "
        "kill -HUP $s; wait_for two; kill $s; wait $s; errand schedule:list --json");

    assert_has(r.err, "errand.yml:2:16: schedules.one.cron");
    assert_has(r.err, "minute field");
    assert_int_equal(lines_n(r), 1);
    assert_has(r.out, "\"two\"");
}

/* It would fail at every slot: a job of its own schedule has no data. */
TEST(a_schedule_that_lacks_the_data_of_its_key_is_told_when_it_is_loaded)
{
    static const char why[] = "its schedule '* * * * *' has no data, which unique "
                              "'order:{orderId}' needs: put one with data in errand.yml";
    struct run r =
        sh("mkdir -p app/Jobs; printf '#!/bin/sh\\n# errand: "
           "unique=\"order:{orderId}\" schedule=\"* * * * *\"\\n' >app/Jobs/order.sh; "
           "chmod +x app/Jobs/order.sh; errand queue:dispatch order '{\"orderId\":1}'; "
           "errand queue:schedule 2>log & s=$!; until grep -q 'cannot schedule' log; do "
           "sleep 0.05; done; kill $s; wait $s; cat log; errand schedule:list --json; "
           "errand doctor; errand queue:work --stop-when-empty 2>&1");

    assert_has(r.out, "cannot schedule order of ");
    assert_has(r.out, "/app/Jobs/order.sh: ");
    assert_has(r.out, why);
    assert_lacks(r.out, "\"cron\"");
    assert_has(r.out, "/app/Jobs/order.sh is not scheduled: ");
    assert_has(r.out, "done    order");
}

TEST(a_worker_can_be_the_scheduler_too)
{
    struct run r =
        sh("%s printf 'schedules:\\n  tick:\\n    cron: \"* * * * * *\"\\n    job: "
           "daily-report\\n' >errand.yml; timeout 20 errand queue:work --schedule "
           "--max-jobs=2",
           report);

    assert_code(r, 0);
    assert_has(r.err, "tick: dispatched ");
    assert_has(sh("errand queue:list --state=completed").out, "daily-report");
    assert_has(sh("errand schedule:list").out, "America/New_York");
}

TEST(a_header_line_with_a_bad_schedule_is_an_error_with_its_place)
{
    struct run r = sh("printf '#!/bin/sh\\n# errand: schedule=\"61 * * * *\"\\n' "
                      ">app/Jobs/bad.sh; chmod +x app/Jobs/bad.sh; %s true",
                      report);

    assert_code(r, 0);
    r = while_scheduling("", "errand schedule:list --json 2>/dev/null | grep -q daily");
    assert_has(r.err, "bad.sh: line 2, column 11: cron '61 * * * *': minute field");
    assert_has(sh("errand schedule:list").out, "daily-report");
}

TEST_MAIN()
