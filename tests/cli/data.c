/* data.c: what a job file says about its data, from its header to every dispatcher. */
#include "shell.h"

TEST_FIXTURE(shell_setup, shell_teardown)

static void job_file(const char *header)
{
    assert_code(sh("errand new . && cat >app/Jobs/order.sh <<'END' && chmod +x "
                   "app/Jobs/order.sh\n"
                   "#!/bin/sh\n"
                   "# errand: tries=1 %s\n"
                   "cat\n"
                   "END",
                   header),
                0);
}

TEST(a_schema_in_a_header_holds_for_every_way_to_dispatch)
{
    struct run run;

    job_file("schema='{\"type\":\"object\",\"required\":[\"n\"],"
             "\"properties\":{\"n\":{\"type\":\"integer\"}}}'");
    assert_code(sh("errand queue:dispatch order '{\"n\":1}'"), 0);
    run = sh("errand queue:dispatch order '{\"n\":\"1\"}'");
    assert_code(run, 2);
    assert_string_equal(run.err,
                        "errand: data of 'order': n is a string, not an integer\n");
    run = sh("errand queue:dispatch order '{}' --sync");
    assert_code(run, 2);
    assert_string_equal(run.err, "errand: data of 'order': it has no 'n'\n");
    run = sh("echo '{}' | errand queue:dispatch order --file -");
    assert_code(run, 2);
    assert_has(run.err, "data of 'order': it has no 'n'");
    assert_code(sh("errand queue:work --stop-when-empty"), 0);
    assert_string_equal(sh("errand queue:list --state completed --json | wc -l").out,
                        "1\n");
}

TEST(limits_in_a_header_and_for_a_queue_hold)
{
    struct run run;

    job_file("max-data=10 max-depth=1");
    run = sh("errand queue:dispatch order '[1,2,3,4,5,6]'");
    assert_code(run, 2);
    assert_has(run.err, "data of 'order' has 13 bytes, more than the 10 allowed");
    run = sh("errand queue:dispatch order '[[1]]'");
    assert_code(run, 2);
    assert_has(run.err, "data of 'order' has more than 1 levels of nesting");
    assert_code(sh("printf 'queues: {small: {max_data: 4}}\\n' >>errand.yml"), 0);
    assert_code(sh("errand queue:dispatch other '[1,2]' --queue small"), 2);
    assert_code(sh("errand queue:dispatch other '[12]' --queue small"), 0);
}

TEST(a_schema_that_is_not_supported_keeps_the_file_from_running)
{
    struct run run;

    job_file("schema='{\"pattern\":\"x\"}'");
    run = sh("errand doctor");
    assert_has(run.out, "line 2, column 19: schema: 'pattern' is not supported");
}

TEST_MAIN()
