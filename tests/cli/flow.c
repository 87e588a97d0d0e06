/* flow.c: chains, batches and flows at the shell. */
#include "cli/shell.h"

/* Each job writes its name and its data into `ran`; `odd` fails for good. */
static int setup(void **state)
{
    shell_setup(state);
    assert_code(
        sh("mkdir -p app/Jobs && for j in one two three tidy rescue; do "
           "printf '#!/bin/sh\\necho \"'$j' $(cat)\" >>ran\\n' >app/Jobs/$j.sh; done; "
           "printf '#!/bin/sh\\necho \"odd $(cat)\" >>ran\\necho bad luck\\nexit 65\\n' "
           ">app/Jobs/odd.sh; chmod +x app/Jobs/*; touch errand.yml ran"),
        0);
    return 0;
}

TEST_FIXTURE(setup, shell_teardown)

static void work(void)
{
    struct run r = sh("errand queue:work --stop-when-empty --concurrency=1");

    assert_code(r, 0);
}

TEST(a_chain_from_a_file_runs_in_order)
{
    struct run r;

    sh("echo "
       "'[{\"job\":\"one\",\"data\":{\"n\":1}},{\"job\":\"two\"},{\"job\":\"three\"}]' "
       ">chain.json");
    r = sh("errand queue:chain chain.json");
    assert_code(r, 0);
    assert_string_equal(r.err, "");
    assert_int_equal(strlen(word(r)), 36);
    work();
    assert_string_equal(sh("cat ran").out, "one {\"n\":1}\ntwo null\nthree null\n");
}

TEST(a_chain_from_standard_input_stops_and_is_resumed)
{
    json_t *line;
    struct run r;

    r = sh("echo "
           "'[{\"job\":\"one\"},{\"job\":\"odd\",\"id\":\"c2\"},{\"job\":\"three\"}]' | "
           "errand queue:chain - --id=c --on-failure=rescue "
           "--finally='{\"job\":\"tidy\",\"data\":7}'");
    assert_code(r, 0);
    assert_string_equal(r.out, "c\n");
    work();
    assert_string_equal(sh("cat ran").out, "one null\nodd null\nrescue null\ntidy 7\n");
    line = json_line(sh("errand queue:batches c --json"), 0);
    assert_json_string(line, "kind", "chain");
    assert_json_int(line, "total", 3);
    assert_json_int(line, "successful", 1);
    assert_json_int(line, "failed", 1);
    assert_json_int(line, "cancelled", 1);
    json_decref(line);
    assert_has(sh("errand queue:batches c").out, "failed c2 odd: ");
    sh("cp app/Jobs/two.sh app/Jobs/odd.sh; : >ran");
    assert_code(sh("errand queue:retry c2"), 0);
    work();
    assert_string_equal(sh("cat ran").out, "two null\nthree null\n");
}

TEST(a_batch_waits_and_prints_what_became_of_it)
{
    json_t *line, *failure;
    struct run r;

    sh("echo "
       "'[{\"job\":\"one\"},{\"job\":\"odd\",\"data\":{\"userId\":2}},{\"job\":\"two\"}]'"
       " "
       ">b.json");
    r = sh(
        "errand queue:work --concurrency=1 --max-time=60 >/dev/null 2>&1 & worker=$!; "
        "errand queue:batch b.json --allow-failures --on-failure=rescue --wait --json; "
        "code=$?; kill $worker; wait $worker; exit $code");
    assert_code(r, 1);
    line = json_line(r, 0);
    assert_json_int(line, "total", 3);
    assert_json_int(line, "successful", 2);
    assert_json_int(line, "failed", 1);
    assert_json_int(line, "cancelled", 0);
    failure = json_array_get(json_object_get(line, "failures"), 0);
    assert_json_string(failure, "name", "odd");
    assert_json_int(json_object_get(failure, "data"), "userId", 2);
    assert_has(json_string_value(json_object_get(failure, "error")), "bad luck");
    json_decref(line);
    assert_int_equal(strlen(sh("errand queue:list --json --state=failed").out) > 0, 1);
}

TEST(a_batch_that_succeeds_exits_with_0)
{
    struct run r;

    sh("echo '[{\"job\":\"one\"},{\"job\":\"two\"}]' >b.json");
    r = sh("errand queue:work --max-time=60 >/dev/null 2>&1 & worker=$!; "
           "errand queue:batch b.json --id=b --wait; "
           "code=$?; kill $worker; wait $worker; exit $code");
    assert_code(r, 0);
    assert_string_equal(r.out, "b\ntotal 2, successful 2, failed 0, cancelled 0\n");
}

TEST(a_flow_follows_its_graph)
{
    json_t *line;
    struct run r;

    r = sh("echo '[{\"node\":\"last\",\"job\":\"three\",\"after\":[\"l\",\"r\"]},"
           "{\"node\":\"l\",\"job\":\"one\",\"after\":\"start\"},"
           "{\"node\":\"r\",\"job\":\"two\",\"after\":\"start\"},"
           "{\"node\":\"start\",\"job\":\"tidy\"}]' | errand queue:flow - --id=f");
    assert_code(r, 0);
    assert_has(sh("errand queue:inspect f/last").out, "f/l");
    work();
    r = sh("cat ran");
    assert_int_equal(strncmp(r.out, "tidy null\n", 10), 0);
    assert_has(r.out, "\nthree null\n");
    line = json_line(sh("errand queue:batches f --json"), 0);
    assert_json_int(line, "successful", 4);
    json_decref(line);
}

TEST(batches_are_listed_and_cancelled)
{
    struct run r;

    sh("echo '[{\"job\":\"one\"},{\"job\":\"two\"}]' >b.json");
    assert_code(sh("errand queue:batch b.json --id=b --name=import"), 0);
    assert_code(sh("errand queue:chain b.json --id=c"), 0);
    r = sh("errand queue:batches");
    assert_code(r, 0);
    assert_has(r.out, "import");
    assert_true(strstr(r.out, "chain") < strstr(r.out, "import"));
    assert_has(sh("errand queue:batches --limit=1").err, "--after=c");
    assert_has(sh("errand queue:batches --after=c").out, "import");
    r = sh("errand queue:list --batch=b --json");
    assert_has(r.out, "\"batch_id\":\"b\"");
    assert_null(strstr(r.out, "\"c\""));
    assert_string_equal(sh("errand queue:batches b --cancel").out, "2 jobs cancelled\n");
    assert_string_equal(sh("errand queue:batches b --cancel --json").out,
                        "{\"cancelled\":0}\n");
    assert_code(sh("errand queue:batches nobody"), 3);
    assert_code(sh("errand queue:batches --cancel"), 2);
}

static void file_refused(const char *command, const char *text, const char *says)
{
    struct run r;

    sh("printf '%%s' '%s' >bad.json", text);
    r = sh("errand %s bad.json", command);
    assert_code(r, 1);
    assert_string_equal(r.out, "");
    assert_has(r.err, says);
    assert_string_equal(sh("errand queue:list --json 2>/dev/null").out, "");
}

TEST(cancel_of_a_batch_by_the_command_for_jobs_names_the_one_for_batches)
{
    struct run r = sh("echo '[{\"job\":\"a\"}]' | errand queue:batch - --id=b");

    assert_code(r, 0);
    r = sh("errand queue:batches b");
    assert_has(r.err, "1 not ended: errand queue:list --batch=b --state=held");
    r = sh("errand queue:cancel b");
    assert_code(r, 3);
    assert_has(r.err, "not a job: queue:batches b --cancel cancels it");
    assert_has(sh("errand queue:cancel c").err, "no job 'c'");
}

TEST(a_bad_file_is_told_with_the_place_and_stores_nothing)
{
    file_refused("queue:chain", "[]", "bad.json: a chain without links");
    file_refused("queue:batch", "[]", "bad.json: a batch without members");
    file_refused("queue:flow", "[]", "bad.json: a flow without nodes");
    file_refused("queue:chain", "", "bad.json");
    file_refused("queue:chain", "{\"job\":\"one\"}", "not an array");
    file_refused("queue:chain", "[{\"job\":\"one\"},\n{\"job\" \"two\"}]",
                 "line 2, column 8");
    file_refused("queue:batch", "[{\"job\":\"one\"},{\"jab\":\"two\"}]",
                 "bad.json, element 2: there is no 'jab' here; did you mean 'job'?");
    file_refused("queue:batch", "[{\"job\":\"one\",\"tries\":0}]", "element 1: ");
    file_refused("queue:batch", "[{\"job\":\"one two\"}]", "member 1 of 1: job name");
    file_refused("queue:flow", "[{\"node\":\"a\",\"after\":\"b\"}]",
                 "no node of this flow");
    file_refused("queue:flow",
                 "[{\"node\":\"a\",\"after\":\"b\"},{\"node\":\"b\",\"after\":\"a\"}]",
                 "wait for each other");
}

TEST(a_chain_says_how_many_of_its_jobs_were_there_already)
{
    struct run r;

    assert_code(sh("errand queue:dispatch a --id=known"), 0);
    r = sh("echo '[{\"job\":\"a\",\"id\":\"known\"},{\"job\":\"b\",\"id\":\"next\"}]' "
           ">chain.json; errand queue:chain chain.json");
    assert_code(r, 0);
    assert_has(r.err, "1 of 2 jobs were there already, by their id or unique key");
    r = sh("errand queue:chain chain.json --json");
    assert_has(r.out, "\"inserted\":0,\"duplicates\":2");
}

TEST(a_bad_command_line_is_a_usage_error)
{
    sh("echo '[{\"job\":\"one\"}]' >b.json");
    assert_code(sh("errand queue:chain"), 2);
    assert_code(sh("errand queue:chain nofile.json"), 3);
    assert_code(sh("errand queue:chain b.json --allow-failures"), 2);
    assert_code(sh("errand queue:chain b.json --id='a b'"), 2);
    assert_code(sh("errand queue:chain b.json --finally='{\"jab\":1}'"), 2);
    assert_has(sh("errand queue:chain b.json --finally='{\"jab\":1}'").err,
               "--finally: ");
}

TEST(a_job_that_nobody_knows_is_stored_and_noted)
{
    struct run r;

    sh("echo '[{\"job\":\"oen\"}]' >b.json");
    r = sh("errand queue:batch b.json");
    assert_code(r, 0);
    assert_has(r.err, "no job named 'oen' here");
    assert_has(r.err, "did you mean 'one'?");
}

TEST(a_callback_that_nobody_knows_is_refused_and_nothing_stored)
{
    struct run r;

    sh("echo '[{\"job\":\"one\"}]' >b.json");
    r = sh("errand queue:batch b.json --finally=tidi");
    assert_code(r, 3);
    assert_has(r.err, "--finally: no job named 'tidi'");
    assert_has(r.err, "did you mean 'tidy'?");
    r = sh("errand queue:chain b.json --on-failure=nosuch");
    assert_code(r, 3);
    assert_has(r.err, "--on-failure: no job named 'nosuch'");
    assert_int_equal(lines_n(sh("errand queue:list --json")), 0);
}

TEST(a_flow_that_is_refused_is_not_noted_as_stored)
{
    struct run r;

    sh("echo '[{\"node\":\"one\",\"after\":[\"tow\"]},{\"node\":\"two\"}]' >f.json; "
       "echo 'int x = ;' >app/Jobs/two.c");
    r = sh("errand queue:flow f.json");
    assert_code(r, 1);
    assert_has(r.err, "tow");
    assert_int_equal(strncmp(r.err, "errand: f.json: ", 16), 0);
    assert_null(strstr(r.err, "note: "));
}

/* ------------------------------------------------------------------ from a job */

static void job(const char *name, const char *script)
{
    assert_code(sh("printf '#!/bin/sh\\n%%s\\n' '%s' >app/Jobs/%s.sh; "
                   "chmod +x app/Jobs/%s.sh",
                   script, name, name),
                0);
}

TEST(an_executable_dispatches_and_adds_to_its_batch)
{
    json_t *line;

    job("fan",
        "echo "
        "\"{\\\"dispatch\\\":{\\\"job\\\":\\\"one\\\",\\\"data\\\":1,\\\"batch\\\":true}}"
        "\" >&3;"
        "echo "
        "\"{\\\"dispatch\\\":[{\\\"job\\\":\\\"two\\\"},{\\\"job\\\":\\\"three\\\"}]}\" "
        ">&3;"
        "echo \"in $ERRAND_BATCH_ID\" >>ran; test $ERRAND_ATTEMPT -gt 1 || exit 75");
    sh("echo '[{\"job\":\"fan\",\"backoff\":0.1}]' >b.json");
    assert_code(sh("errand queue:batch b.json --id=b --finally=tidy"), 0);
    assert_code(sh("errand queue:work --concurrency=1 --max-jobs=6 --max-time=60"), 0);
    assert_string_equal(sh("sort ran").out,
                        "in b\nin b\none 1\nthree null\ntidy null\ntwo null\n");
    line = json_line(sh("errand queue:batches b --json"), 0);
    assert_json_int(line, "total", 2);
    assert_json_int(line, "successful", 2);
    json_decref(line);
}

TEST(a_job_that_cannot_be_dispatched_fails_the_attempt)
{
    struct run r;

    job("fan", "echo \"{\\\"dispatch\\\":{\\\"jab\\\":1}}\" >&3; exit 0");
    assert_code(sh("errand queue:dispatch fan --tries=1 --id=fan"), 0);
    work();
    r = sh("errand queue:list --state=failed --json");
    assert_has(r.out, "a job could not be dispatched: ");
    assert_has(r.out, "did you mean 'job'");
}

/* Data that is too deep is found when the line is read, before anybody asks for a job. */
TEST(a_line_to_dispatch_that_cannot_be_read_fails_the_attempt)
{
    struct run r;

    job("deep", "n=$(printf %0100d 0); echo \"{\\\"dispatch\\\":{\\\"job\\\":\\\"a\\\","
                "\\\"data\\\":$(echo $n | tr 0 [)$(echo $n | tr 0 ])}}\" >&3");
    job("typo", "echo \"{\\\"dispatch\\\":{\\\"job\\\":\\\"a\\\",}}\" >&3");
    assert_code(sh("errand queue:dispatch deep --tries=1"), 0);
    assert_code(sh("errand queue:dispatch typo --tries=1"), 0);
    work();
    r = sh("errand queue:list --state=failed --json");
    assert_has(r.out, "could not be dispatched: a line on descriptor 3 has more than 64");
    assert_has(r.out, "could not be dispatched: a line on descriptor 3 is not JSON");
}

TEST(an_executable_reads_what_its_parents_left)
{
    job("fetch", "echo \"{\\\"path\\\":\\\"/tmp/7\\\"}\" >&3");
    job("small", "cat \"$ERRAND_PARENTS\" >>ran; echo >>ran");
    sh("echo '[{\"node\":\"fetch\"},{\"node\":\"small\",\"after\":\"fetch\"}]' >f.json");
    assert_code(sh("errand queue:flow f.json --id=video-7"), 0);
    work();
    assert_string_equal(
        sh("cat ran").out,
        "[{\"id\":\"video-7/fetch\",\"name\":\"fetch\",\"node\":\"fetch\","
        "\"result\":{\"path\":\"/tmp/7\"},\"on\":\"success\","
        "\"state\":\"completed\"}]\n");
}

TEST_MAIN()
