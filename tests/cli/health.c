/* health.c: is it well, and how much was done, by the command. */
#include "cli/shell.h"

static int setup(void **state)
{
    shell_setup(state);
    assert_code(sh("errand new . >/dev/null; rm app/Jobs/*; "
                   "printf '#!/bin/sh\n# errand: tries=1\nexit $(cat)\n' > app/Jobs/job; "
                   "chmod +x app/Jobs/job; errand migrate >/dev/null"),
                0);
    return 0;
}

TEST_FIXTURE(setup, shell_teardown)

TEST(a_person_reads_a_word_and_a_table)
{
    struct run r = sh("errand queue:dispatch job 0 >/dev/null; errand queue:health");

    assert_code(r, 0);
    assert_int_equal(strncmp(r.out, "healthy\n", 8), 0);
    assert_has(r.out, "QUEUE    STATUS");
    assert_has(r.out, "default  healthy      1");
    assert_has(r.out, "0 workers alive");
}

TEST(a_program_reads_one_line)
{
    struct run r =
        sh("errand queue:dispatch job 0 >/dev/null; errand queue:health --json");
    json_t *health = json_line(r, 0), *queue;

    assert_int_equal(lines_n(r), 1);
    assert_json_string(health, "status", "healthy");
    queue = json_array_get(json_object_get(health, "queues"), 0);
    assert_json_string(queue, "queue", "default");
    assert_json_string(queue, "status", "healthy");
    assert_json_int(queue, "ready", 1);
    assert_true(json_is_array(json_object_get(health, "workers")));
    assert_true(json_is_array(json_object_get(health, "alerts")));
    assert_json_int(json_object_get(health, "metrics"), "ready", 1);
    assert_true(json_is_number(
        json_object_get(json_object_get(health, "metrics"), "error_rate")));
    json_decref(health);
}

TEST(thresholds_stand_in_errand_yml)
{
    struct run r;

    assert_code(sh("printf 'health:\n  ready_degraded: 2\n  ready_unhealthy: 3\n' "
                   ">errand.yml"),
                0);
    assert_code(sh("errand queue:dispatch job 0 >/dev/null; errand queue:health"), 0);
    r = sh("errand queue:dispatch job 0 >/dev/null; errand queue:health");
    assert_code(r, 1);
    assert_has(r.out, "degraded: queue 'default' has 2 ready jobs (degraded from 2 on)");
    assert_code(sh("errand queue:dispatch job 0 >/dev/null; errand queue:health"), 2);
}

TEST(thresholds_in_the_wrong_order_are_refused)
{
    struct run r = sh("printf 'health:\n  failed_degraded: 200\n' >errand.yml; "
                      "errand queue:health");

    assert_code(r, 2);
    assert_has(r.err, "errand.yml");
    assert_has(r.err, "failed");
    r = sh("printf 'health:\n  errors_degraded: 1.5\n' >errand.yml; errand queue:health");
    assert_has(r.err, "errand.yml:2:");
}

TEST(quiet_prints_nothing)
{
    struct run r = sh("errand queue:health --quiet");

    assert_code(r, 0);
    assert_string_equal(r.out, "");
    r = sh("errand --url=sqlite:missing.db queue:health --quiet");
    assert_code(r, 2);
    assert_string_equal(r.out, "");
    assert_string_equal(r.err, "");
}

TEST(a_worker_whose_runners_cannot_start_is_unhealthy)
{
    /* Its folder is another one now, so nothing can be started there. */
    struct run r = sh(
        "errand new other >/dev/null; export ERRAND_URL=sqlite:$PWD/jobs.db; cd other; "
        "errand queue:work >/dev/null 2>&1 & pid=$!; cd ..; i=0; "
        "until errand queue:workers --json | grep -q alive; do sleep 0.05; done; "
        "mv other gone; kill -HUP $pid; "
        "until errand queue:health --json | grep -q '\"state\":\"blocked\"' || "
        "[ $((i=i+1)) -gt 100 ]; do sleep 0.2; done; errand queue:health; echo \"code "
        "$?\"; "
        "kill $pid; wait $pid");

    assert_has(r.out, "no runner starts");
    assert_has(r.out, "code 2");
}

TEST(numbers_are_added_up_by_queue_and_name)
{
    struct run r;
    json_t *row;

    assert_code(sh("for i in 0 0 65; do errand queue:dispatch job $i >/dev/null; done; "
                   "errand queue:dispatch job 0 --queue=mail >/dev/null; "
                   "errand queue:work --stop-when-empty 2>/dev/null"),
                0);
    r = sh("errand queue:stats --json");
    assert_int_equal(lines_n(r), 2);
    row = json_line(r, 0);
    assert_json_string(row, "queue", "default");
    assert_json_int(row, "done", 2);
    assert_json_int(row, "failed", 1);
    assert_true(json_integer_value(json_object_get(row, "run_p99_ms")) >= 1);
    json_decref(row);
    assert_int_equal(lines_n(sh("errand queue:stats --json --queue=mail")), 1);
    row = json_line(sh("errand queue:stats --json --by=name"), 0);
    assert_json_int(row, "done", 3);
    json_decref(row);
    assert_has(sh("errand queue:stats").out, "RUN P50");
}

TEST(a_part_that_is_none_names_the_nearest)
{
    struct run r = sh("errand queue:stats --by=nmae");

    assert_code(r, 2);
    assert_has(r.err, "did you mean name");
}

TEST_MAIN()
