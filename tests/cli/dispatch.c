/* dispatch.c: handing out work at the shell. */
#include "cli/shell.h"

static int setup(void **state)
{
    shell_setup(state);
    assert_code(sh("errand new . >/dev/null"), 0);
    return 0;
}

TEST_FIXTURE(setup, shell_teardown)

TEST(it_prints_the_id_and_nothing_else)
{
    struct run r = sh("errand queue:dispatch hello '{\"name\":\"Ann\"}'");

    assert_code(r, 0);
    assert_string_equal(r.err, "");
    assert_int_equal(strlen(word(r)), 36);
    assert_code(sh("errand queue:inspect %s", r.out), 0);
}

TEST(a_job_object_has_the_fields_of_the_contract)
{
    static const char *const fields[] = {
        "id",     "name",  "queue",  "state",      "priority",   "attempts",
        "tries",  "data",  "run_at", "created_at", "started_at", "finished_at",
        "worker", "error", "tags",   "batch_id"};
    json_t *job;

    assert_code(
        sh("errand queue:dispatch hello '{\"n\":1}' --queue=q --priority=-5 --tries=7 "
           "--tag=a,b --tag=c"),
        0);
    job = json_line(sh("errand queue:list --json"), 0);
    assert_int_equal(json_object_size(job), sizeof fields / sizeof *fields);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        assert_non_null(json_object_get(job, fields[i]));
    assert_json_string(job, "name", "hello");
    assert_json_string(job, "queue", "q");
    assert_json_string(job, "state", "ready");
    assert_json_int(job, "priority", -5);
    assert_json_int(job, "attempts", 0);
    assert_json_int(job, "tries", 7);
    assert_json_int(json_object_get(job, "data"), "n", 1);
    assert_int_equal(json_array_size(json_object_get(job, "tags")), 3);
    assert_true(json_is_null(json_object_get(job, "worker")));
    assert_true(json_is_null(json_object_get(job, "finished_at")));
    assert_int_equal(strlen(json_string_value(json_object_get(job, "created_at"))), 24);
    json_decref(job);
}

TEST(data_is_kept_byte_for_byte)
{
    assert_code(sh("errand queue:dispatch hello '{ \"a\" : 1.0e2, \"b\":\"\\ud800\" }'"),
                0);
    assert_has(sh("errand queue:list --json").out,
               "\"data\":{ \"a\" : 1.0e2, \"b\":\"\\ud800\" }");
}

TEST(data_over_several_lines_stays_on_one_in_json)
{
    struct run r =
        sh("printf '{\\n  \"a\": [\\n1, 2]\\n}\\n' | errand queue:dispatch hello -; "
           "errand queue:list --json");
    json_t *job;

    assert_int_equal(lines_n(r), 2);
    job = json_line(r, 1);
    assert_int_equal(json_array_size(json_object_get(json_object_get(job, "data"), "a")),
                     2);
    json_decref(job);
}

TEST(no_data_is_null)
{
    assert_code(sh("errand queue:dispatch hello"), 0);
    assert_has(sh("errand queue:list --json").out, "\"data\":null");
}

TEST(broken_json_is_refused_with_its_place)
{
    struct run r = sh("errand queue:dispatch send-email '{\"to\": ann@example.com}'");

    assert_code(r, 2);
    assert_string_equal(r.out, "");
    assert_has(r.err, "errand: data of 'send-email' is not JSON");
    assert_has(r.err, "line 1, column 8");
    assert_code(sh("errand queue:list --json"), 3); /* no store was made for it */
}

TEST(a_nul_at_the_end_is_refused_like_one_within)
{
    assert_code(sh("printf '{}\\0' | errand queue:dispatch hello -"), 2);
    assert_code(sh("printf '\\0{}' | errand queue:dispatch hello -"), 2);
    assert_code(sh("printf '{} \\n' | errand queue:dispatch hello -"), 0);
}

TEST(wrong_utf8_is_refused)
{
    struct run r = sh("errand queue:dispatch hello \"$(printf '{\"a\":\"\\377\"}')\"");

    assert_code(r, 2);
    assert_has(r.err, "errand: ");
}

TEST(a_megabyte_too_much_is_refused)
{
    struct run r =
        sh("(printf '\"'; head -c 1100000 /dev/zero | tr '\\0' x; printf '\"') | "
           "errand queue:dispatch hello -");

    assert_code(r, 2);
    assert_has(r.err, "errand: ");
    assert_has(r.err, "hello");
}

TEST(a_delay_is_seconds_a_duration_or_an_instant)
{
    struct run r;

    assert_code(sh("errand queue:dispatch hello --delay=60"), 0);
    assert_code(sh("errand queue:dispatch hello --delay=10m"), 0);
    assert_code(sh("errand queue:dispatch hello --delay=2099-12-24T18:00:00Z"), 0);
    r = sh("errand queue:list --json --state=scheduled");
    assert_int_equal(lines_n(r), 3);
    assert_has(r.out, "\"run_at\":\"2099-12-24T18:00:00.000Z\"");
    assert_code(sh("errand queue:dispatch hello --delay=2001-01-01T00:00:00Z"), 0);
    assert_int_equal(lines_n(sh("errand queue:list --json --state=ready")), 1);
}

TEST(an_id_that_is_taken_stores_nothing_and_answers_the_same)
{
    struct run r = sh("errand queue:dispatch hello --id=order/7; "
                      "errand queue:dispatch hello --id=order/7");

    assert_code(r, 0);
    assert_string_equal(r.out, "order/7\norder/7\n");
    assert_has(r.err, "nothing was stored");
    assert_int_equal(lines_n(sh("errand queue:list --json")), 1);
    assert_code(sh("errand queue:dispatch hello --id='a b'"), 2);
}

TEST(a_unique_key_answers_the_first_ones_id)
{
    struct run r = sh("errand queue:dispatch hello --unique=k; "
                      "errand queue:dispatch hello --unique=k --json");
    char *first = strndup(r.out, strcspn(r.out, "\n"));
    json_t *second = json_line(r, 1);

    assert_json_string(second, "id", first);
    assert_json_string(second, "pushed", "duplicate");
    assert_int_equal(lines_n(sh("errand queue:list --json")), 1);
    assert_code(sh("errand queue:dispatch hello --unique-for=60"), 2);
    json_decref(second);
    free(first);
}

TEST(the_options_of_a_shell_job_hold_when_it_is_dispatched)
{
    json_t *job;

    assert_code(
        sh("printf '#!/bin/sh\\n# errand: queue=slow tries=9\\n' >app/Jobs/grind.sh; "
           "chmod +x app/Jobs/grind.sh; errand queue:dispatch grind"),
        0);
    job = json_line(sh("errand queue:list --json"), 0);
    assert_json_string(job, "queue", "slow");
    assert_json_int(job, "tries", 9);
    json_decref(job);
    assert_code(
        sh("sed -i 's/slow/slower/' app/Jobs/grind.sh; errand queue:dispatch grind"), 0);
    job = json_line(sh("errand queue:list --json"), 0);
    assert_json_string(job, "queue", "slower");
    json_decref(job);
}

TEST(the_options_of_a_c_job_hold_when_it_is_dispatched)
{
    json_t *job;

    assert_code(sh("sed -i 's/tries = 3/tries = 4/' app/Jobs/hello.c; "
                   "errand queue:dispatch Hello"),
                0);
    job = json_line(sh("errand queue:list --json"), 0);
    assert_json_int(job, "tries", 4);
    json_decref(job);
}

TEST(an_unknown_job_is_stored_with_a_note)
{
    struct run r = sh("errand queue:dispatch helo");

    assert_code(r, 0);
    assert_int_equal(strlen(word(r)), 36);
    assert_has(r.err, "note: no job named 'helo' here");
    assert_has(r.err, "did you mean 'Hello'?");
}

TEST(a_job_that_does_not_compile_is_stored_with_a_note)
{
    struct run r = sh("echo 'int x = ;' >app/Jobs/bad.c; errand queue:dispatch bad");

    assert_code(r, 0);
    assert_has(r.err, "note: ");
    assert_has(r.err, "app/Jobs/bad.c:1");
    assert_int_equal(lines_n(r), 1);
}

/* ---------------------------------------------------------------- --file */

TEST(a_file_is_one_job_a_line)
{
    struct run r = sh("for i in $(seq 2500); do echo \"{\\\"n\\\":$i}\"; done >f; "
                      "errand queue:dispatch hello --file=f");

    assert_code(r, 0);
    assert_has(r.out, "2,500 jobs dispatched");
    assert_string_equal(r.err, ""); /* a bar is for terminals */
    assert_int_equal(lines_n(sh("errand queue:list --json --limit=0")), 2500);
    assert_has(sh("errand queue:list --json --limit=1").out, "\"data\":{\"n\":2500}");
}

TEST(blank_lines_and_a_last_line_without_an_end_are_fine)
{
    struct run r =
        sh("printf '1\\r\\n\\n  \\n{\"a\":2}' | errand queue:dispatch hello --file=- "
           "--json");
    json_t *said = json_line(r, 0);

    assert_json_int(said, "inserted", 2);
    json_decref(said);
    assert_has(sh("errand queue:list --json").out, "\"data\":1,");
}

TEST(a_bad_line_is_named_and_nothing_of_its_thousand_goes_in)
{
    struct run r = sh("(seq 1200; echo '{\"a\": oops}'; seq 10) >f; "
                      "errand queue:dispatch hello --file=f");

    assert_code(r, 1);
    assert_has(r.err, "line 1201, column 7");
    assert_has(r.err, "f");
    assert_has(r.err, "1000 jobs were dispatched before that");
    assert_int_equal(lines_n(sh("errand queue:list --json --limit=0")), 1000);
}

TEST(a_file_that_is_not_there_is_not_found)
{
    struct run r = sh("errand queue:dispatch hello --file=nowhere.jsonl");

    assert_code(r, 3);
    assert_has(r.err, "nowhere.jsonl");
    assert_code(sh("errand queue:dispatch hello '{}' --file=f"), 2);
    assert_code(sh("errand queue:dispatch hello --file=f --wait"), 2);
    assert_code(sh("errand queue:dispatch hello --sync --wait"), 2);
}

/* ---------------------------------------------------------------- --sync */

TEST(sync_runs_a_shell_job_here_and_prints_its_result)
{
    struct run r = sh("errand make:job backup --lang=sh >/dev/null; "
                      "errand queue:dispatch backup '{\"x\":1}' --sync");

    assert_code(r, 0);
    assert_string_equal(r.out, "{\"ok\":true}\n");
    assert_has(r.err, "attempt 1 of 1: {\"x\":1}");
    assert_code(sh("test -e errand.db"), 1); /* no store */
}

TEST(sync_runs_a_c_job_here_and_prints_its_result)
{
    struct run r = sh("errand queue:dispatch hello '{\"name\":\"Bo\"}' --sync");

    assert_code(r, 0);
    assert_string_equal(r.out, "{\"letters\":2}\n");
    assert_has(r.err, "hello, Bo");
    assert_code(sh("test -e errand.db"), 1);
}

TEST(sync_says_that_a_job_wants_to_run_later)
{
    struct run r;

    sh("printf '#!/bin/sh\\necho \"{\\\"snooze\\\":5}\" >&3\\n' >app/Jobs/later.sh; "
       "chmod +x app/Jobs/later.sh");
    r = sh("errand queue:dispatch later --sync");
    assert_code(r, 1);
    assert_has(r.err, "'later' wants to run later");
}

TEST(sync_says_why_a_job_failed)
{
    struct run r = sh("errand queue:dispatch hello '{\"name\":7}' --sync");

    assert_code(r, 1);
    assert_string_equal(r.out, "");
    assert_has(r.err, "'hello' failed: ");
    r = sh("printf '#!/bin/sh\\nexit 3\\n' >app/Jobs/no.sh; chmod +x app/Jobs/no.sh; "
           "errand queue:dispatch no --sync");
    assert_code(r, 1);
    assert_has(r.err, "exit code 3");
    r = sh("printf '#!/bin/sh\\nkill -SEGV $$\\n' >app/Jobs/no.sh; "
           "errand queue:dispatch no --sync");
    assert_code(r, 1);
    assert_has(r.err, "killed by SIGSEGV");
}

TEST(sync_stops_a_job_that_takes_too_long)
{
    struct run r = sh("printf '#!/bin/sh\\nsleep 60\\n' >app/Jobs/slow.sh; "
                      "chmod +x app/Jobs/slow.sh; "
                      "errand queue:dispatch slow --sync --timeout=0.3");

    assert_code(r, 1);
    assert_has(r.err, "timed out after 300 ms");
}

TEST(sync_finds_no_job_of_another_name)
{
    struct run r = sh("errand queue:dispatch helo --sync");

    assert_code(r, 3);
    assert_has(r.err, "did you mean 'Hello'?");
}

/* ---------------------------------------------------------------- queue:run */

TEST(any_command_becomes_a_job)
{
    struct run r = sh("errand queue:run --tries=2 -- ls -l --json /");
    json_t *job, *options, *command;

    assert_code(r, 0);
    job = json_line(sh("errand queue:inspect %s --json", word(r)), 0);
    assert_json_string(job, "name", "run:ls");
    options = json_object_get(job, "options");
    assert_json_int(options, "tries", 2);
    command = json_object_get(options, "command");
    assert_int_equal(json_array_size(command), 4);
    assert_string_equal(json_string_value(json_array_get(command, 2)), "--json");
    json_decref(job);
}

TEST(a_command_that_is_not_there_is_not_stored)
{
    assert_code(sh("errand queue:run -- ./nowhere.sh"), 3);
    assert_code(sh("errand queue:run"), 2);
    assert_code(sh("errand queue:run -- ''"), 2);
}

TEST_MAIN()
