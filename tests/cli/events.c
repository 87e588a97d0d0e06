/* events.c: watching from outside what happens to jobs. */
#include "cli/shell.h"

static int setup(void **state)
{
    shell_setup(state);
    assert_code(sh("errand new . >/dev/null; echo > app/Jobs/hello.c; rm -r app/Jobs/*; "
                   "printf '#!/bin/sh\nexit 0\n' > app/Jobs/ok; "
                   "printf '#!/bin/sh\n# errand: tries=2 backoff=0.1\n"
                   "test $ERRAND_ATTEMPT = 2\n' > app/Jobs/second; "
                   "chmod +x app/Jobs/*; errand migrate >/dev/null"),
                0);
    return 0;
}

TEST_FIXTURE(setup, shell_teardown)

/* Follows from before the line is run until it has ended, into the file `seen`. */
#define FOLLOWED(options, line)                                        \
    "errand queue:events --follow " options " > seen & pid=$!; "       \
    "i=0; until errand queue:dispatch probe --queue=probe --delay=1d " \
    "  >/dev/null && grep -q probe seen || [ $((i+=1)) -gt 100 ]; do " \
    "  sleep 0.05; done; " line "; sleep 0.3; kill -INT $pid; wait $pid"

static struct run seen(const char *pattern)
{
    return sh("grep -v probe seen | grep -v '\"worker:' | grep '%s'", pattern);
}

static const char *type_of(struct run r, size_t n)
{
    json_t *event = json_line(r, n);
    static char type[64];

    snprintf(type, sizeof type, "%s", json_string_value(json_object_get(event, "type")));
    json_decref(event);
    return type;
}

TEST(one_who_follows_sees_every_step_of_a_job_in_order)
{
    struct run r;
    json_t *event;

    assert_code(sh(FOLLOWED("--json", "errand queue:dispatch second --id=j1 >/dev/null; "
                                      "errand queue:work --max-jobs=2 2>/dev/null")),
                0);
    r = seen("j1");
    assert_int_equal(lines_n(r), 5);
    assert_string_equal(type_of(r, 0), "job:dispatched");
    assert_string_equal(type_of(r, 1), "job:started");
    assert_string_equal(type_of(r, 2), "job:retrying");
    assert_string_equal(type_of(r, 3), "job:started");
    assert_string_equal(type_of(r, 4), "job:completed");
    event = json_line(r, 2);
    assert_json_int(event, "attempt", 2);
    assert_json_int(event, "delay_ms", 100);
    assert_json_string(event, "job_name", "second");
    assert_json_string(event, "queue", "default");
    assert_non_null(json_object_get(event, "error"));
    json_decref(event);
    event = json_line(r, 4);
    assert_true(json_integer_value(json_object_get(event, "duration_ms")) >= 0);
    assert_json_string(event, "job_id", "j1");
    json_decref(event);
}

TEST(a_type_may_be_said_short)
{
    assert_code(sh(FOLLOWED("--type=dispatched,job:completed --json",
                            "errand queue:dispatch ok --id=j1 >/dev/null; "
                            "errand queue:work --once 2>/dev/null")),
                0);
    assert_int_equal(lines_n(seen("j1")), 2);
}

TEST(a_person_reads_a_line_an_event)
{
    struct run r;

    assert_code(sh(FOLLOWED("", "errand queue:dispatch ok --id=j1 --delay=60 >/dev/null; "
                                "errand queue:pause --queue=mail >/dev/null")),
                0);
    r = sh("cat seen");
    assert_has(r.out, " job:dispatched   ok default j1, in ");
    assert_has(r.out, " queue:paused     mail\n");
}

TEST(what_was_stored_for_somebody_is_there_for_others)
{
    struct run r;
    json_t *event;
    int64_t seq;

    assert_code(sh(FOLLOWED("", "errand queue:dispatch ok --id=j1 >/dev/null; "
                                "errand queue:dispatch ok --id=j2 >/dev/null")),
                0);
    event = json_line(sh("errand queue:events --json | grep j1"), 0);
    seq = json_integer_value(json_object_get(event, "seq"));
    json_decref(event);
    r = sh("errand queue:events --json --after=%lld", (long long)seq);
    assert_int_equal(lines_n(r), 1);
    assert_has(r.out, "j2");
    assert_has(sh("errand queue:events --since=1h").out, "j2");
    assert_string_equal(sh("errand queue:events --since=2099-01-01T00:00:00Z").out, "");
}

TEST(without_anybody_who_follows_nothing_is_kept)
{
    assert_code(sh("errand queue:dispatch ok >/dev/null; errand queue:events"), 0);
    assert_string_equal(sh("errand queue:events --json").out, "");
}

TEST(a_reader_that_goes_away_ends_it)
{
    struct run r = sh("errand queue:events --follow | head -1 & pid=$!; i=0; "
                      "while kill -0 $pid 2>/dev/null && [ $((i+=1)) -lt 100 ]; do "
                      "errand queue:dispatch ok >/dev/null; sleep 0.05; done; wait $pid");

    assert_code(r, 0);
    assert_has(r.out, "job:dispatched");
    assert_string_equal(r.err, "");
}

TEST(a_type_that_is_none_names_the_nearest)
{
    struct run r = sh("errand queue:events --type=completd");

    assert_code(r, 2);
    assert_has(r.err, "job:completed");
}

TEST(what_a_job_says_is_no_order_to_the_terminal)
{
    assert_code(
        sh("printf '#!/bin/sh\n# errand: tries=1\nprintf \"\\033[2J\" >&2; exit 65\n' "
           "> app/Jobs/rude"),
        0);
    assert_code(sh("chmod +x app/Jobs/rude"), 0);
    assert_code(sh(FOLLOWED("", "errand queue:dispatch rude >/dev/null; "
                                "errand queue:work --once 2>/dev/null")),
                0);
    assert_has(sh("cat seen").out, "job:failed");
    assert_lacks(sh("cat seen").out, "\033");
}

TEST(a_follower_that_is_stopped_or_killed_holds_nobody_up)
{
    struct run r = sh(
        "errand queue:events --follow --json > one & one=$!; "
        "errand queue:events --follow --json > two & two=$!; "
        "errand queue:events --follow --json > three & three=$!; "
        "i=0; until errand queue:dispatch ok >/dev/null && [ -s one ] && [ -s two ] && "
        "[ -s three ] || [ $((i+=1)) -gt 200 ]; do sleep 0.05; done; "
        "kill -STOP $one; kill -KILL $two; "
        "errand queue:pause --queue=x >/dev/null; seq 4000 > jobs; for k in 1 2 3; do "
        "errand queue:dispatch ok --queue=later --delay=1d --file=jobs >/dev/null; done; "
        "errand queue:work --queue=default --stop-when-empty 2>/dev/null; "
        "errand queue:dispatch ok --id=last >/dev/null; sleep 1.2; "
        "kill -INT $three; wait $three; grep -c . three; grep -c last three; "
        "kill -CONT $one; sleep 1.5; kill -INT $one; wait $one; "
        "grep -c events:missed one; grep -c last one");

    assert_code(r, 0);
    assert_has(r.out,
               "\n1\n1\n1\n"); /* last seen; the stopped one was told, and goes on */
}

TEST_MAIN()
