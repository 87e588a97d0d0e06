/* limit.c: limits at the shell, on workers that run. */
#include "cli/shell.h"

TEST_FIXTURE(shell_setup, shell_teardown)

static void project(void)
{
    assert_code(sh("errand new . >/dev/null; rm app/Jobs/*; "
                   "printf '#!/bin/sh\\nsleep 0.1\\n' >app/Jobs/nap.sh; "
                   "chmod +x app/Jobs/nap.sh"),
                0);
}

TEST(limits_are_set_listed_and_removed)
{
    json_t *line;

    project();
    assert_string_equal(
        sh("errand queue:limit set narrow --concurrency=3 --queue=reports").out,
        "limit 'narrow' is set\n");
    assert_code(sh("errand queue:limit set mails --rate=100/60s --job=send-email"), 0);
    line = json_line(sh("errand queue:limit --json"), 0);
    assert_json_string(line, "name", "mails");
    assert_json_string(line, "kind", "rate");
    assert_json_int(line, "rate", 100);
    assert_json_int(line, "per_ms", 60000);
    assert_json_string(line, "scope", "job");
    assert_json_string(line, "target", "send-email");
    assert_json_int(line, "used", 0);
    assert_json_int(line, "waiting", 0);
    json_decref(line);
    line = json_line(sh("errand queue:limit --json"), 1);
    assert_json_int(line, "concurrency", 3);
    json_decref(line);
    assert_has(sh("errand queue:limit").out, "100 in 60 s");
    assert_code(sh("errand queue:limit remove mails"), 0);
    assert_code(sh("errand queue:limit remove mails"), 3);
}

TEST(a_limit_that_means_nothing_is_told_with_its_place)
{
    static const char *const bad[][2] = {
        {"set", "queue:limit set which? give a name"},
        {"put a", "queue:limit knows 'set NAME' and 'remove NAME', not 'put'"},
        {"set a --queue=b", "how much? --rate=100/60s or --concurrency=3"},
        {"set a --rate=1/1 --concurrency=1 --queue=b", "are both given; say one"},
        {"set a --rate=1/1", "of what? one of --queue=Q, --job=NAME and --key=TEMPLATE"},
        {"set a --rate=1/1 --queue=b --job=c", "of what?"},
        {"set a --rate=0/60s --queue=b", "--rate '0/60s' is not a rate"},
        {"set a --rate=nan/60s --queue=b", "--rate 'nan/60s' is not a rate"},
        {"set a --rate=5/0 --queue=b", "--rate '5/0' is not a rate"},
        {"set a --concurrency=0 --queue=b", "--concurrency wants a whole number from 1"},
        {"set a --rate=1/1 --key='{a'", "template '{a' has a '{' at position 1"},
        {"set 'a b' --rate=1/1 --queue=b", "limit name 'a b' has a wrong character"},
        {"set a --rate=1/1 --queue='b c'", "limit target 'b c' has a wrong character"},
        {"--queue=b", "--queue belongs to 'queue:limit set NAME'"},
    };

    project();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct run r = sh("errand queue:limit %s", bad[i][0]);

        assert_code(r, 2);
        assert_has(r.err, bad[i][1]);
    }
}

/* The jobs end when there is a file `go`: how fast the shell is does not matter. */
TEST(a_worker_that_runs_keeps_to_a_limit_that_is_set_and_lets_go_when_it_is_removed)
{
    json_t *line;

    project();
    assert_code(sh("printf '#!/bin/sh\\nwhile ! [ -e go ]; do sleep 0.02; done\\n' "
                   ">app/Jobs/nap.sh; (errand queue:work --concurrency=4 --max-time=60 "
                   ">work.out 2>&1 & echo $! >pid); "
                   "errand queue:limit set one --concurrency=1 --job=nap; "
                   "for i in 1 2 3 4 5 6; do errand queue:dispatch nap >/dev/null; done; "
                   "for i in $(seq 400); do errand queue:limit --json | grep -q "
                   "'\"used\":1,\"waiting\":5' && break; sleep 0.05; done"),
                0);
    line = json_line(sh("errand queue:limit --json"), 0);
    assert_json_int(line, "used", 1);
    assert_json_int(line, "waiting", 5);
    json_decref(line);
    assert_code(sh("errand queue:limit remove one; for i in $(seq 400); do errand "
                   "queue:status --json | grep -q '\"running\":4' && break; sleep 0.05; "
                   "done; errand queue:status --json | grep -q '\"running\":4'; rc=$?; "
                   "touch go; kill $(cat pid); exit $rc"),
                0);
}

TEST(a_limit_that_differs_from_another_in_spelling_only_is_refused)
{
    struct run r;

    assert_code(sh("errand queue:limit set slow --rate=1/60s --key='{to}'"), 0);
    r = sh("errand queue:limit set SLOW --rate=1/60s --key='{to}'");
    assert_code(r, 2);
    assert_has(r.err, "limit 'SLOW': there is 'slow' already, which differs in spelling "
                      "only");
    assert_code(sh("errand queue:limit set slow --rate=2/60s --key='{to}'"), 0);
}

TEST_MAIN()
