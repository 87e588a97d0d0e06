/* change.c: changing jobs and queues at the shell. */
#include "cli/shell.h"

#include <sqlite3.h>

static int setup(void **state)
{
    shell_setup(state);
    assert_code(sh("errand new . >/dev/null; errand queue:dispatch hello --id=a; errand "
                   "queue:dispatch hello --id=b --queue=q; errand queue:dispatch hello "
                   "--id=c --delay=60"),
                0);
    return 0;
}

TEST_FIXTURE(setup, shell_teardown)

static void assert_state(const char *id, const char *state)
{
    json_t *job = json_line(sh("errand queue:inspect %s --json", id), 0);

    assert_json_string(job, "state", state);
    json_decref(job);
}

TEST(cancel_takes_several_and_names_the_unknown_one)
{
    struct run r = sh("errand queue:cancel a nope c");

    assert_code(r, 3);
    assert_string_equal(r.out, "2 jobs cancelled\n");
    assert_has(r.err, "errand: no job 'nope'");
    assert_state("a", "cancelled");
    assert_state("b", "ready");
    assert_state("c", "cancelled");
}

TEST(cancel_of_what_has_ended_is_refused)
{
    struct run r = sh("errand queue:cancel a >/dev/null; errand queue:cancel a");

    assert_code(r, 1);
    assert_has(r.err, "it has ended already");
}

TEST(retry_lets_a_cancelled_job_run_again)
{
    assert_code(sh("errand queue:cancel a; errand queue:retry a"), 0);
    assert_state("a", "ready");
    assert_code(sh("errand queue:retry a"), 1);
    assert_code(sh("errand queue:retry nope"), 3);
    assert_code(sh("errand queue:retry"), 2);
    assert_code(sh("errand queue:retry a --all"), 2);
    assert_code(sh("errand queue:retry --all"), 0);
}

TEST(forget_removes_for_good)
{
    json_t *said = json_line(sh("errand queue:forget a b --json"), 0);

    assert_json_int(said, "removed", 2);
    json_decref(said);
    assert_code(sh("errand queue:inspect a"), 3);
    assert_code(sh("errand queue:forget a"), 3);
}

TEST(clear_asks_first)
{
    struct run r = sh("errand queue:clear --queue=default");

    assert_code(r, 2);
    assert_has(r.err, "2 waiting jobs would be removed");
    assert_has(r.err, "--force");
    assert_state("a", "ready");
    assert_code(sh("errand queue:clear --queue=default --force"), 0);
    assert_code(sh("errand queue:inspect a"), 3);
    assert_code(sh("errand queue:inspect c"), 3);
    assert_state("b", "ready");
    assert_code(sh("errand queue:clear --force"), 2);
}

TEST(flush_asks_first)
{
    struct run r = sh("errand queue:flush");

    assert_code(r, 2);
    assert_has(r.err, "0 failed jobs would be removed");
    assert_code(sh("errand queue:flush --force"), 0);
    assert_int_equal(lines_n(sh("errand queue:list --json")), 3);
}

TEST(a_queue_is_paused_for_a_while_or_until_resumed)
{
    json_t *q;

    assert_code(sh("errand queue:pause --queue=q --for=10m"), 0);
    q = json_line(sh("errand queue:status --queue=q --json"), 0);
    assert_true(json_is_string(json_object_get(q, "paused_until")));
    json_decref(q);
    assert_has(sh("errand queue:status").out, "  10 min more");
    assert_code(sh("errand queue:pause --queue=q,other"), 0);
    assert_has(sh("errand queue:status --queue=other --json").out, "\"9999-12-31T");
    assert_has(sh("errand queue:resume").out, "queue 'q' is resumed");
    assert_lacks(sh("errand queue:status --json").out, "9999");
    assert_has(sh("errand queue:resume").err, "no queue is paused");
    assert_code(sh("errand queue:pause"), 2);
    assert_code(sh("errand queue:pause --queue='a b'"), 2);
}

TEST(prune_keeps_what_is_young)
{
    struct run r = sh("errand queue:cancel a >/dev/null; errand queue:prune");

    assert_code(r, 0);
    assert_string_equal(r.out, "0 jobs removed\n");
    assert_string_equal(sh("errand queue:prune --state=cancelled --older-than=1h").out,
                        "0 jobs removed\n");
    assert_string_equal(sh("errand queue:prune --state=cancelled --keep=0").out,
                        "1 job removed\n");
    assert_code(sh("errand queue:prune --state=ready --keep=0"), 2);
    assert_code(sh("errand queue:prune --state=failed"), 2);
    assert_state("b", "ready");
}

/* ---------------------------------------------------------------- looking after it */

TEST(migrate_adds_its_tables_to_another_program_only_by_force)
{
    if (sh("command -v sqlite3").code != 0)
        skip();
    assert_code(sh("sqlite3 own.db 'CREATE TABLE mine(x); INSERT INTO mine VALUES(7)'"),
                0);
    assert_has(sh("errand migrate --url=sqlite:own.db").err, "'errand migrate --force'");
    assert_code(sh("errand migrate --force --url=sqlite:own.db"), 0);
    assert_code(sh("errand queue:dispatch hello --url=sqlite:own.db"), 0);
    assert_string_equal(sh("sqlite3 own.db 'SELECT x FROM mine'").out, "7\n");
}

TEST(migrate_says_what_it_found)
{
    struct run r = sh("errand migrate");

    assert_code(r, 0);
    assert_has(r.out, "is current");
    assert_code(sh("errand migrate --check"), 0);
    assert_code(sh("errand migrate --url=sqlite:new.db && test -f new.db"), 0);
    assert_code(sh("errand migrate --check --url=sqlite:none.db; test -e none.db"), 1);
}

TEST(config_check_shows_where_a_value_comes_from)
{
    struct run r = sh("ERRAND_GRACE=7 errand config:check --json");
    bool found = false;

    assert_code(r, 0);
    for (size_t i = 0; i < lines_n(r); i++) {
        json_t *s = json_line(r, i);

        if (strcmp(json_string_value(json_object_get(s, "key")), "worker.grace") == 0) {
            assert_json_string(s, "value", "7");
            assert_json_string(s, "origin", "environment ERRAND_GRACE");
            found = true;
        }
        json_decref(s);
    }
    assert_true(found);
    assert_has(sh("errand config:check").out, "errand.yml:3");
}

TEST(config_check_names_the_place_of_an_error)
{
    struct run r = sh("echo 'tris: 3' >>errand.yml; errand config:check");

    assert_code(r, 1);
    assert_has(r.err, "errand.yml:");
    assert_has(r.err, "tris");
    assert_code(sh("errand queue:list"), 2);
}

TEST(a_store_that_is_busy_asks_to_try_again)
{
    char path[PATH_MAX + 16];
    sqlite3 *other = NULL;
    struct run r;

    sh("echo 'busy: 0.1' >>errand.yml");
    snprintf(path, sizeof path, "%s/errand.db", shell_folder);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    r = sh("errand queue:dispatch hello");
    assert_code(r, 75);
    assert_has(r.err, "errand: ");
    assert_string_equal(r.out, "");
    assert_code(sh("errand queue:cancel a"), 75);
    assert_code(sh("errand queue:list"), 0); /* looking needs no lock */
    sqlite3_close(other);
    assert_code(sh("errand queue:dispatch hello"), 0);
}

TEST(a_store_of_a_newer_errand_is_left_alone)
{
    char path[PATH_MAX + 16];
    sqlite3 *other = NULL;
    struct run r;

    snprintf(path, sizeof path, "%s/errand.db", shell_folder);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other,
                                  "UPDATE errand_meta SET value=99 WHERE key='schema'",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(other);
    r = sh("errand queue:list");
    assert_code(r, 1);
    assert_has(r.err, "schema 99");
    assert_code(sh("errand queue:dispatch hello"), 1);
    assert_code(sh("errand migrate"), 1);
    assert_code(sh("errand doctor"), 1);
}

TEST(doctor_finds_all_well_in_a_new_project)
{
    struct run r = sh("errand doctor");

    assert_code(r, 0);
    assert_has(r.out, "ok:   store: ");
    assert_has(r.out, "ok:   jobs: 1, all can run");
    assert_has(r.out, "errand queue:work"); /* jobs wait and nobody is there */
    assert_lacks(r.out, "fail:");
}

TEST(doctor_says_what_to_do)
{
    struct run r =
        sh("echo 'int x = ;' >app/Jobs/bad.c; chmod 644 errand.db; errand doctor");

    assert_code(r, 1);
    assert_has(r.out, "fail: jobs: 'bad' cannot run: app/Jobs/bad.c:1");
    assert_has(r.out, "chmod 600");
}

TEST(doctor_reads_a_large_store_only_when_it_is_told)
{
    struct run r = sh("seq 100001 | errand queue:dispatch hello --file=- >/dev/null; "
                      "errand doctor");

    assert_has(r.out, " jobs, not read through: --full");
    assert_has(sh("errand doctor --full").out, "everything in the store fits together");
}

TEST(doctor_does_not_wait_long_for_a_lock_that_others_hold)
{
    sqlite3 *other;
    char path[PATH_MAX + 16];
    struct run r;

    snprintf(path, sizeof path, "%s/errand.db", shell_folder);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    r = sh("timeout 20 errand doctor"); /* 30 s is what others wait */
    sqlite3_close(other);
    assert_code(r, 1);
    assert_has(r.out, "fail: write: ");
}

TEST(doctor_looks_at_a_store_that_is_no_store)
{
    struct run r = sh("echo this is not a database, whatever it is called >bad.db; "
                      "errand doctor --url=sqlite:bad.db");

    assert_code(r, 1);
    assert_has(r.out, "fail: store: ");
    assert_string_equal(sh("cat bad.db").out,
                        "this is not a database, whatever it is called\n");
}

TEST_MAIN()
