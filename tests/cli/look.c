/* look.c: what one sees of jobs and queues, and what a terminal is spared. */
#include "cli/shell.h"

static int setup(void **state)
{
    shell_setup(state);
    assert_code(sh("errand new . >/dev/null"), 0);
    return 0;
}

TEST_FIXTURE(setup, shell_teardown)

TEST(where_no_store_is_nothing_is_made)
{
    struct run r = sh("errand queue:list");

    assert_code(r, 3);
    assert_has(r.err, "errand: ");
    assert_has(r.err, "errand.db");
    assert_code(sh("test -e errand.db"), 1);
    assert_code(sh("errand queue:status"), 3);
    assert_code(sh("errand queue:retry --all"), 3);
}

TEST(a_list_has_aligned_columns_and_whole_ids)
{
    struct run r =
        sh("errand queue:dispatch hello --id=short; "
           "errand queue:dispatch a-much-longer-name 2>/dev/null; errand queue:list");
    const char *header, *first, *second;

    assert_code(r, 0);
    header = strstr(r.out, "ID ");
    assert_non_null(header);
    first = strchr(header, '\n') + 1;
    second = strchr(first, '\n') + 1;
    assert_true(strstr(header, "QUEUE") - header == strstr(first, "default") - first);
    assert_true(strstr(header, "QUEUE") - header == strstr(second, "default") - second);
    assert_has(r.out, "0/3");
}

TEST(wide_characters_are_counted_as_a_terminal_shows_them)
{
    struct run r = sh("errand queue:dispatch hello '\"日本語\"' >/dev/null; "
                      "errand queue:list --limit=1");

    assert_has(r.out, "日本語");
}

TEST(pages_go_on_behind_an_id)
{
    struct run r =
        sh("for i in 1 2 3 4 5; do errand queue:dispatch hello $i --id=j$i; done "
           ">/dev/null; errand queue:list --json --limit=2");
    json_t *job = json_line(r, 1);

    assert_int_equal(lines_n(r), 2);
    assert_json_string(job, "id", "j4");
    json_decref(job);
    job = json_line(sh("errand queue:list --json --limit=2 --after=j4"), 0);
    assert_json_string(job, "id", "j3");
    json_decref(job);
    assert_has(sh("errand queue:list --limit=2").err, "--after=j4");
    assert_code(sh("errand queue:list --after=gone"), 3);
}

TEST(filters_narrow_the_list)
{
    assert_code(sh("errand queue:dispatch hello '{\"to\":\"needle\"}' --queue=a --tag=t; "
                   "errand queue:dispatch other --queue=b --delay=60 2>/dev/null"),
                0);
    assert_int_equal(lines_n(sh("errand queue:list --json")), 2);
    assert_int_equal(lines_n(sh("errand queue:list --json --queue=a")), 1);
    assert_int_equal(lines_n(sh("errand queue:list --json --name=other")), 1);
    assert_int_equal(lines_n(sh("errand queue:list --json --tag=t")), 1);
    assert_int_equal(lines_n(sh("errand queue:list --json --state=scheduled")), 1);
    assert_int_equal(lines_n(sh("errand queue:list --json --state=ready,scheduled")), 2);
    assert_int_equal(lines_n(sh("errand queue:list --json --search=needle")), 1);
    assert_int_equal(lines_n(sh("errand queue:list --json --queue=none")), 0);
}

TEST(status_has_a_line_a_queue)
{
    struct run r =
        sh("errand queue:dispatch hello --queue=a; errand queue:dispatch hello "
           "--queue=a --delay=60; errand queue:status --json");
    json_t *q = json_line(r, 2);

    assert_json_string(q, "queue", "a");
    assert_json_int(q, "ready", 1);
    assert_json_int(q, "scheduled", 1);
    assert_json_int(q, "failed", 0);
    assert_int_equal(json_object_size(q), 1 + 7 + 2);
    assert_true(json_is_null(json_object_get(q, "paused_until")));
    assert_true(json_is_integer(json_object_get(q, "oldest_ready_ms")));
    json_decref(q);
    assert_has(sh("errand queue:status").out, "SCHEDULED");
    assert_code(sh("errand queue:status --queue=none"), 3);
}

TEST(inspect_shows_everything_there_is)
{
    struct run r = sh("errand queue:dispatch hello '{\"to\":{\"name\":\"Ann\"}}' --id=j "
                      "--timeout=90 >/dev/null; errand queue:inspect j");
    json_t *job;

    assert_code(r, 0);
    assert_has(r.out, "hello  j");
    assert_has(r.out, "\"name\": \"Ann\"");
    assert_has(r.out, "errand queue:cancel j");
    job = json_line(sh("errand queue:inspect j --json"), 0);
    assert_json_int(json_object_get(job, "options"), "timeout", 90);
    assert_int_equal(json_array_size(json_object_get(job, "attempt_list")), 0);
    assert_int_equal(json_array_size(json_object_get(job, "waits_for")), 0);
    assert_true(json_is_null(json_object_get(job, "result")));
    assert_true(json_is_null(json_object_get(job, "progress")));
    json_decref(job);
}

TEST(inspect_of_an_unknown_id_is_not_found)
{
    struct run r =
        sh("errand queue:dispatch hello >/dev/null; errand queue:inspect nope");

    assert_code(r, 3);
    assert_has(r.err, "reading job 'nope': there is no such job");
}

TEST(inspect_says_nothing_of_the_future_of_a_cancelled_job)
{
    struct run r = sh("errand queue:dispatch hello --id=j --delay=1h >/dev/null; "
                      "errand queue:cancel j; errand queue:inspect j");

    assert_code(r, 0);
    assert_has(r.out, "state       cancelled\n");
    assert_lacks(r.out, "run at");
    assert_lacks(r.out, "to come");
}

/* The id is printed, but this time nothing survives: that must be said. */
TEST(a_store_in_memory_is_said_to_end_with_the_command)
{
    assert_has(sh("errand queue:dispatch hello --url=memory:").err,
               "memory: ends with this command");
    assert_lacks(sh("errand queue:dispatch hello").err, "memory:");
}

TEST(a_command_is_listed_by_its_words)
{
    struct run r = sh("errand queue:run -- rsync -a src dst >/dev/null; "
                      "errand queue:list; errand queue:list --json");

    assert_code(r, 0);
    assert_has(r.out, "[\"rsync\",\"-a\",\"src\",\"dst\"]");
    assert_has(r.out, "\"data\":null");
}

/* JSON may hold DEL, C1 and bidirectional signs as they are; a terminal must not. */
TEST(nothing_of_a_job_reaches_the_terminal_raw)
{
    struct run r =
        sh("printf '\"\\177\\302\\233[31m\\342\\200\\256evil\"' | "
           "errand queue:dispatch hello - --id=j >/dev/null; errand queue:list; "
           "errand queue:inspect j");

    assert_code(r, 0);
    assert_has(r.out, "evil");
    assert_has(r.out, "\\x9b[31m");
    assert_has(r.out, "\\u202e");
    assert_lacks(r.out, "\177");
    assert_lacks(r.out, "\xc2\x9b");
    assert_lacks(r.out, "\xe2\x80\xae");
    r = sh("errand queue:inspect j --json");
    assert_has(r.out, "\"data\":\"\\u007f\\u009b[31m\\u202eevil\"");
}

TEST(colours_are_for_terminals)
{
    static const char list[] = "errand queue:dispatch hello >/dev/null; "
                               "script -qec 'errand queue:list%s' /dev/null </dev/null";

    assert_lacks(sh("errand queue:dispatch hello >/dev/null; errand queue:list").out,
                 "\033");
    if (sh("command -v script").code != 0)
        skip();
    setenv("TERM", "xterm", 1);
    assert_has(sh(list, "").out, "\033[36mready");
    assert_lacks(sh(list, " --no-color").out, "\033");
    setenv("NO_COLOR", "1", 1);
    assert_lacks(sh(list, "").out, "\033");
    unsetenv("NO_COLOR");
}

TEST(a_reader_that_goes_away_is_no_error)
{
    struct run r = sh("seq 3000 | errand queue:dispatch hello --file=- >/dev/null; "
                      "{ errand queue:list --json --limit=0; echo $? >code; } | head -1; "
                      "cat code");

    assert_int_equal(lines_n(r), 2);
    assert_has(r.out, "}\n0\n");
    assert_string_equal(r.err, "");
}

TEST(output_that_is_lost_is_an_error)
{
    struct run r = sh("errand queue:dispatch hello >/dev/null; errand queue:list >&-");

    assert_code(r, 1);
    assert_has(r.err, "writing to standard output");
    if (sh("test -c /dev/full").code == 0)
        assert_code(sh("errand queue:list >/dev/full"), 1);
}

TEST(closed_descriptors_never_become_the_store)
{
    struct run r = sh("errand queue:dispatch hello --id=j <&- >&- 2>&-; "
                      "errand queue:list --json");

    assert_has(r.out, "\"id\":\"j\"");
    assert_has(sh("errand doctor").out, "everything in the store fits together");
}

TEST_MAIN()
