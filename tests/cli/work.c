/* work.c: from dispatch to the end, as a user sees it. */
#include "cli/shell.h"

static int setup(void **state)
{
    shell_setup(state);
    assert_code(sh("errand new . >/dev/null"), 0);
    return 0;
}

TEST_FIXTURE(setup, shell_teardown)

static json_t *inspect(const char *id)
{
    return json_line(sh("errand queue:inspect %s --json", id), 0);
}

TEST(the_first_five_minutes_work)
{
    struct run r = sh("errand queue:dispatch hello '{\"name\":\"Ann\"}' --id=j && "
                      "errand queue:work --stop-when-empty");
    json_t *job, *attempt;

    assert_code(r, 0);
    job = inspect("j");
    assert_json_string(job, "state", "completed");
    assert_json_int(job, "attempts", 1);
    assert_json_int(json_object_get(job, "result"), "letters", 3);
    attempt = json_array_get(json_object_get(job, "attempt_list"), 0);
    assert_json_string(attempt, "outcome", "completed");
    assert_has(json_string_value(json_object_get(attempt, "log")), "hello, Ann");
    json_decref(job);
    r = sh("errand queue:inspect j");
    assert_has(r.out, "completed, attempt 1 of 3");
    assert_has(r.out, "\"letters\": 3");
    assert_has(r.out, "hello, Ann");
}

/* What a worker says when it ends comes last, and is true: a job that waits for its time
 * is left to do, but none is ready. */
TEST(a_worker_ends_with_a_true_word)
{
    struct run r = sh("errand queue:dispatch hello --delay=1h >/dev/null; "
                      "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo {}; done | "
                      "errand queue:dispatch hello --file=- 2>/dev/null; "
                      "errand queue:work --stop-when-empty");
    const char *last = strstr(r.err, "stopping: no job is ready\n");

    assert_code(r, 0);
    assert_has(r.err, "1 job known\n");
    assert_has(r.err, "more done");
    assert_non_null(last);
    assert_string_equal(strchr(last, '\n'), "\n");
}

TEST(the_templates_of_all_languages_run)
{
    struct run r =
        sh("errand make:job mail && errand make:job backup --lang=sh && "
           "errand make:job resize --lang=py && for j in mail backup resize; do "
           "errand queue:dispatch $j '{}' --id=$j; done && "
           "errand queue:work --stop-when-empty");
    json_t *job;

    assert_code(r, 0);
    assert_has(sh("errand queue:inspect mail").out, "hello, world: attempt 1 of 3");
    assert_has(sh("errand queue:inspect backup").out, "attempt 1 of 3: {}");
    if (sh("command -v python3").code == 0) {
        job = inspect("resize");
        assert_json_string(job, "state", "completed");
        assert_true(json_is_true(json_object_get(json_object_get(job, "result"), "ok")));
        json_decref(job);
    }
}

TEST(a_failed_job_tells_its_story)
{
    struct run r =
        sh("printf '#!/bin/sh\\necho about to \\033[31mfail >&2\\nexit 3\\n' "
           ">app/Jobs/no.sh; chmod +x app/Jobs/no.sh; errand queue:dispatch no "
           "--id=j --tries=1 && errand queue:work --stop-when-empty; "
           "errand queue:failed");
    json_t *job, *attempt;

    assert_has(r.out, "exited with code 3: about to \\x1b[31mfail");
    r = sh("errand queue:inspect j");
    assert_has(r.out, "failed, attempt 1 of 1");
    assert_has(r.out, "exit code 3");
    assert_has(r.out, "about to \\x1b[31mfail");
    assert_has(r.out, "errand queue:retry j");
    job = inspect("j");
    attempt = json_array_get(json_object_get(job, "attempt_list"), 0);
    assert_json_string(attempt, "outcome", "failed");
    assert_json_int(attempt, "exit", 3);
    assert_true(json_is_null(json_object_get(attempt, "signal")));
    json_decref(job);
    assert_string_equal(sh("errand queue:retry --all").out, "1 job retried\n");
    assert_int_equal(lines_n(sh("errand queue:failed --json")), 0);
    r = sh("errand queue:work --once; errand queue:flush --force");
    assert_has(r.out, "1 job removed\n");
    assert_code(sh("errand queue:inspect j"), 3);
}

TEST(failed_jobs_are_found_by_queue_and_time)
{
    struct run r =
        sh("printf '#!/bin/sh\\nexit 65\\n' >app/Jobs/no.sh; chmod +x app/Jobs/no.sh; "
           "errand queue:dispatch no --id=a --queue=a; errand queue:dispatch no "
           "--id=b --queue=b; errand queue:work --stop-when-empty --quiet");

    assert_code(r, 0);
    assert_int_equal(lines_n(sh("errand queue:failed --json")), 2);
    assert_int_equal(lines_n(sh("errand queue:failed --json --queue=a")), 1);
    assert_int_equal(lines_n(sh("errand queue:failed --json --since=1h")), 2);
    assert_int_equal(lines_n(sh("errand queue:failed --json --since=2099-01-01")), 0);
    assert_string_equal(sh("errand queue:flush --older-than=1h --force").out,
                        "0 jobs removed\n");
    assert_string_equal(sh("errand queue:retry --all --queue=a").out, "1 job retried\n");
    assert_int_equal(lines_n(sh("errand queue:failed --json")), 1);
    assert_has(sh("errand queue:flush").err, "1 failed job would be removed");
}

TEST(a_crash_is_told_by_its_signal)
{
    struct run r =
        sh("printf '#!/bin/sh\\nkill -SEGV $$\\n' >app/Jobs/no.sh; "
           "chmod +x app/Jobs/no.sh; errand queue:dispatch no --id=j --tries=1; "
           "errand queue:work --stop-when-empty; errand queue:inspect j");

    assert_has(r.out, "killed by SIGSEGV");
    assert_has(sh("errand queue:inspect j --json").out, "\"signal\":\"SIGSEGV\"");
}

TEST(a_time_out_is_told_with_its_time)
{
    struct run r =
        sh("printf '#!/bin/sh\\nsleep 60\\n' >app/Jobs/no.sh; "
           "chmod +x app/Jobs/no.sh; errand queue:dispatch no --id=j --tries=1 "
           "--timeout=0.5; errand queue:work --stop-when-empty; "
           "errand queue:inspect j");

    assert_has(r.out, "timed out after ");
    assert_has(sh("errand queue:inspect j --json").out, "\"cause\":\"timeout\"");
}

TEST(wait_prints_the_result_and_exits_by_the_end)
{
    struct run r = sh("errand queue:work --max-jobs=3 2>/dev/null & "
                      "errand queue:dispatch hello '{\"name\":\"Ann\"}' --id=j --wait; "
                      "errand queue:dispatch hello '{\"name\":\"Ann\"}' --wait --json; "
                      "errand queue:dispatch hello '{\"name\":7}' --wait; echo $?; wait");
    json_t *job;

    assert_has(r.out, "j\n{\"letters\":3}\n");
    job = json_line(r, 2);
    assert_json_string(job, "state", "completed");
    assert_json_int(json_object_get(job, "result"), "letters", 3);
    json_decref(job);
    assert_has(r.out, "\n1\n");
    assert_has(r.err, "failed: ");
}

TEST(a_command_runs_with_its_output_as_log)
{
    struct run r = sh("errand queue:run --data='{\"a\":1}' -- sh -c 'echo out; cat; "
                      "echo err >&2' >id; errand queue:work --stop-when-empty; "
                      "errand queue:inspect $(cat id)");

    assert_has(r.out, "completed");
    assert_has(r.out, "out");
    assert_has(r.out, "{\"a\":1}");
    assert_has(r.out, "err");
}

TEST(every_flag_of_work_is_taken)
{
    struct run r =
        sh("errand queue:dispatch hello --queue=a --id=j >/dev/null; errand "
           "queue:work --queue=a,b --concurrency=1 --max-jobs=5 --max-time=20 "
           "--memory=512 --stop-when-empty --grace=1 --lease=5s --sleep=0.5 --tries=2 "
           "--timeout=1m --backoff=1,2 --name=w --quiet --once");
    json_t *job;

    assert_code(r, 0);
    assert_string_equal(r.err, "");
    job = inspect("j");
    assert_json_string(job, "state", "completed");
    assert_json_string(json_array_get(json_object_get(job, "attempt_list"), 0), "outcome",
                       "completed");
    json_decref(job);
    assert_code(sh("errand queue:work --grace=0"), 2);
    assert_code(sh("errand queue:work --backoff=soon"), 2);
    assert_code(sh("errand queue:work extra"), 2);
    assert_code(sh("errand queue:work --once --quiet"), 0);
}

TEST(strict_queues_and_max_jobs_hold)
{
    struct run r =
        sh("printf '#!/bin/sh\\necho $ERRAND_QUEUE >>order\\n' >app/Jobs/o.sh; "
           "chmod +x app/Jobs/o.sh; for q in low default high; do for i in 1 2 3; "
           "do errand queue:dispatch o --queue=$q; done; done >/dev/null; "
           "errand queue:work --queue=high,default --concurrency=1 "
           "--stop-when-empty; tr '\\n' ' ' <order");

    assert_has(r.out, "high high high default default default ");
    assert_lacks(r.out, "low");
    assert_code(sh("errand queue:work --max-jobs=2 --concurrency=1"), 0);
    assert_has(sh("errand queue:status --queue=low --json").out, "\"ready\":1,");
}

TEST(workers_are_seen_while_they_work)
{
    struct run r =
        sh("printf '#!/bin/sh\\ntouch began; while [ ! -e go ]; do sleep 0.05; "
           "done\\n' >app/Jobs/w.sh; chmod +x app/Jobs/w.sh; "
           "errand queue:dispatch w --id=j >/dev/null; errand queue:work "
           "--name=alice --stop-when-empty 2>/dev/null >&2 & "
           "while [ ! -e began ]; do sleep 0.05; done; "
           "errand queue:workers --json; errand queue:workers; touch go; wait");
    json_t *w = json_line(r, 0);

    assert_json_string(w, "worker", "alice");
    assert_true(json_is_true(json_object_get(w, "alive")));
    assert_json_int(w, "running", 1);
    assert_json_string(json_array_get(json_object_get(w, "jobs"), 0), "id", "j");
    json_decref(w);
    assert_has(r.out, "WORKER");
    assert_has(r.out, "RUNNING");
}

/* A worker in the background as $w, once it has said that it lives. */
#define WORKER_UP(options)                                                  \
    "errand migrate >/dev/null 2>&1; errand queue:work --name=bob " options \
    " 2>/dev/null >&2 & w=$!; "                                             \
    "until errand queue:workers --json | grep -q bob; do sleep 0.05; done; "

/* Nobody has waited for it: it may be a zombie when it is looked at. */
TEST(a_worker_that_was_killed_is_known_at_once)
{
    struct run r =
        sh(WORKER_UP("") "kill -9 $w; "
                         "while grep -qs ') [^ZX]' /proc/$w/stat; do sleep 0.01; done; "
                         "errand queue:workers --json; "
                         "errand queue:workers; errand doctor");
    json_t *w = json_line(r, 0);

    assert_true(json_is_false(json_object_get(w, "alive")));
    assert_json_string(w, "state", "killed");
    json_decref(w);
    assert_has(r.out, "killed");
    assert_has(r.err, "note: bob has died → start it again: errand queue:work");
    assert_has(r.out, "warn: workers: bob has died");
    assert_lacks(r.out, "at work,");
}

TEST(hup_says_what_is_read_again_and_what_is_not)
{
    struct run r = sh("errand migrate >/dev/null 2>&1; errand queue:work 2>log & w=$!; "
                      "until grep -q works log; do sleep 0.05; done; kill -HUP $w; "
                      "until grep -q 'loading jobs again' log; do sleep 0.05; done; "
                      "kill $w; wait $w; cat log");

    assert_has(r.out,
               "loading jobs again: SIGHUP; what else errand.yml says is read when "
               "a worker starts");
}

TEST(a_second_worker_of_one_name_is_warned_of)
{
    struct run r =
        sh(WORKER_UP("") "errand queue:work --name=bob --once; errand queue:work "
                         "--name=eve --once; kill -9 $w; "
                         "while grep -qs ') [^ZX]' /proc/$w/stat; do sleep "
                         "0.01; done; errand queue:work --name=bob --once");

    assert_has(r.err, "another worker is called 'bob' as well");
    assert_null(strstr(strstr(r.err, "as well") + 1, "as well"));
}

TEST(a_second_term_blames_no_runner)
{
    struct run r = sh(
        "printf '#!/bin/sh\\ntouch began; sleep 60\\n' >app/Jobs/w.sh; "
        "chmod +x app/Jobs/w.sh; "
        "printf '#include <errand.h>\\nstatic int h(errand_job *j, struct errand_error "
        "*e)\\n{ (void)j; (void)e; return ERRAND_DONE; }\\nERRAND_JOB(Idle, .handle = "
        "h)\\n' >app/Jobs/Idle.c; "
        "errand queue:dispatch w >/dev/null; errand queue:work --concurrency=2 & w=$!; "
        "until [ -e began ]; do sleep 0.05; done; kill $w; sleep 0.2; kill $w; wait $w");

    assert_has(r.err, "stopping now");
    assert_lacks(r.err, "did not start");
}

TEST(a_queue_that_nobody_works_is_named_with_the_command_that_would)
{
    struct run r = sh("errand queue:dispatch x --queue=orphans >/dev/null; " WORKER_UP(
        "--queue=others") "errand doctor; kill $w; wait $w");

    assert_has(r.out, "warn: queues: no worker takes 'orphans', where 1 job is ready → "
                      "errand queue:work --queue=orphans");
    assert_has(r.out, "workers: 1 at work");
}

TEST(a_class_that_does_not_compile_is_shown_at_its_worker)
{
    struct run r = sh("mkdir -p app/Jobs; echo 'int x = ;' >app/Jobs/bad.c; " WORKER_UP(
        "") "until errand queue:workers --json | grep bad.c; do sleep 0.05; done; "
            "errand doctor; kill $w; wait $w");
    json_t *w = json_line(r, 0);

    assert_has(json_string_value(json_object_get(w, "trouble")), "app/Jobs/bad.c:1:9");
    json_decref(w);
    assert_has(r.out, "warn: workers: bob cannot run every job: app/Jobs/bad.c:1:9");
}

TEST(inspect_says_what_holds_a_job_up)
{
    struct run r =
        sh("errand queue:dispatch x --id=j >/dev/null; errand queue:inspect j");

    assert_has(r.err, "no worker takes 'default' → errand queue:work --queue=default");
    r = sh("errand queue:pause --queue=default; errand queue:inspect j");
    assert_has(r.err, "queue 'default' is paused → errand queue:resume --queue=default");
    r = sh("errand queue:resume --queue=default; printf '#!/bin/sh\\nsleep 60\\n' "
           ">app/Jobs/w.sh; chmod +x app/Jobs/w.sh; errand queue:clear --queue=default "
           "--force; errand queue:limit set few --concurrency=1 --job=w; " WORKER_UP(
               "") "errand queue:dispatch w --id=a; errand queue:dispatch w --id=b; "
                   "until errand queue:limit --json | grep '\"waiting\":1'; do sleep "
                   "0.05; done; "
                   "errand queue:inspect b; kill -9 $w; "
                   "while grep -qs ') [^ZX]' /proc/$w/stat; do sleep 0.01; done; "
                   "errand queue:inspect a");
    assert_has(r.err, "limit 'few' of job 'w' lets no more begin, 1 of 1 are used");
    assert_has(r.err, "bob has died; its 1 running job comes back");
}

TEST(a_job_that_waits_for_its_file_says_so)
{
    struct run r =
        sh("printf '#!/bin/sh\\n# errand: tries=oops\\n' >app/Jobs/w.sh; "
           "chmod +x app/Jobs/w.sh; errand queue:dispatch w --id=j >/dev/null 2>&1; "
           "errand queue:work --name=bob 2>worker.log >&2 & w=$!; "
           "until grep snoozed worker.log; do sleep 0.05; done; "
           "until errand queue:workers 2>&1 | grep -q w.sh; do sleep 0.05; done; "
           "errand queue:inspect j; kill $w; wait $w");

    assert_has(r.out, "again in 10 s: app/Jobs/w.sh: line 2");
    assert_has(r.err, "it cannot run as it is: app/Jobs/w.sh: line 2");
}

TEST(a_running_job_is_cancelled_from_outside)
{
    struct run r =
        sh("printf '#!/bin/sh\\ntouch began; sleep 60\\n' >app/Jobs/w.sh; "
           "chmod +x app/Jobs/w.sh; errand queue:dispatch w --id=j >/dev/null; "
           "errand queue:work --max-jobs=1 2>/dev/null >&2 & "
           "while [ ! -e began ]; do sleep 0.05; done; errand queue:cancel j; wait");
    json_t *job;

    assert_has(r.out, "1 job asked to stop");
    job = inspect("j");
    assert_json_string(job, "state", "cancelled");
    json_decref(job);
}

TEST(bench_measures_and_leaves_nothing_behind)
{
    struct run r = sh("errand bench --jobs=2000 --json");
    json_t *m;

    assert_code(r, 0);
    assert_int_equal(lines_n(r), 3);
    m = json_line(r, 2);
    assert_json_int(m, "jobs", 2000);
    assert_true(json_integer_value(json_object_get(m, "jobs_per_second")) > 0);
    json_decref(m);
    assert_string_equal(sh("ls -A | grep bench").out, "");
    assert_code(sh("test -e errand.db"), 1);
}

TEST_MAIN()
