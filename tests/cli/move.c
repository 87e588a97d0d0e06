/* move.c: errand move at the shell, from one file to another. */
#include "cli/shell.h"

static int setup(void **state)
{
    shell_setup(state);
    assert_code(
        sh("export ERRAND_URL=sqlite:a.db; errand queue:dispatch one --id=a && errand "
           "queue:dispatch two --id=b --queue=mail --delay=60 --unique=k --tag=x && "
           "errand queue:pause --queue=mail && errand queue:limit set narrow "
           "--concurrency=2 --queue=mail && echo '[{\"job\":\"c\"},{\"job\":\"d\"}]' | "
           "errand queue:chain -"),
        0);
    return 0;
}

TEST_FIXTURE(setup, shell_teardown)

#define MOVE "errand move --from sqlite:a.db --to sqlite:b.db"

static void assert_count(const char *store, const char *queue, const char *state, int n)
{
    json_t *line = json_line(
        sh("errand --url sqlite:%s queue:status --queue=%s --json", store, queue), 0);

    assert_json_int(line, state, n);
    json_decref(line);
}

TEST(move_carries_everything_and_leaves_nothing)
{
    struct run r = sh(MOVE);
    json_t *job;

    assert_code(r, 0);
    assert_has(r.out, "4 jobs moved");
    assert_count("a.db", "default", "ready", 0);
    assert_count("a.db", "default", "held", 0);
    assert_count("b.db", "default", "ready", 2);
    assert_count("b.db", "default", "held", 1);
    job = json_line(sh("errand --url sqlite:b.db queue:inspect b --json"), 0);
    assert_json_string(job, "state", "scheduled");
    json_decref(job);
    assert_has(sh("errand --url sqlite:b.db queue:status --json").out,
               "\"paused_until\":\"9999-12-31T23:59:59.999Z\"");
    assert_has(sh("errand --url sqlite:b.db queue:limit --json").out, "narrow");
    assert_has(sh("errand --url sqlite:b.db queue:dispatch two --unique=k").out, "b\n");
    assert_has(sh("errand --url sqlite:b.db doctor").out, "fits together");
}

TEST(a_second_move_carries_what_came_after_the_first)
{
    assert_code(sh(MOVE), 0);
    assert_code(sh("errand --url sqlite:a.db queue:dispatch late --id=late"), 0);
    assert_has(sh(MOVE).out, "1 jobs moved");
    assert_code(sh("errand --url sqlite:b.db queue:inspect late"), 0);
    assert_has(sh(MOVE).out, "0 jobs moved");
}

TEST(dry_run_changes_nothing)
{
    struct run r = sh(MOVE " --dry-run");

    assert_code(r, 0);
    assert_has(r.out, "4 jobs would move");
    assert_code(sh("test -e b.db"), 1);
    assert_count("a.db", "default", "ready", 2);
    assert_has(sh("errand --url sqlite:a.db queue:status --queue=default --json").out,
               "\"paused_until\":null");
}

TEST(keep_leaves_the_source_paused)
{
    struct run r = sh(MOVE " --keep");

    assert_has(r.out, "4 jobs copied");
    assert_has(r.out, "the queues of the source stay paused; 'errand queue:resume'");
    assert_has(sh("errand --url sqlite:a.db queue:status").out, "by a move");
    assert_count("a.db", "default", "ready", 2);
    assert_has(sh("errand --url sqlite:a.db queue:status --queue=default --json").out,
               "\"paused_until\":\"9999");
    assert_has(sh("errand --url sqlite:b.db queue:status --queue=default --json").out,
               "\"paused_until\":null");
}

TEST(json_has_a_line_a_queue_and_one_for_all)
{
    struct run r = sh(MOVE " --json");
    json_t *queue = json_line(r, 0), *all = json_line(r, 2);

    assert_json_string(queue, "queue", "default");
    assert_json_int(queue, "ready", 2);
    assert_json_int(all, "jobs", 4);
    assert_json_int(all, "limits", 1);
    json_decref(queue);
    json_decref(all);
}

TEST(a_store_is_not_moved_into_itself)
{
    struct run r = sh("errand move --from sqlite:a.db --to sqlite:../here/a.db");

    assert_code(r, 2);
    assert_has(r.err, "are one store");
    assert_count("a.db", "default", "ready", 2);
    assert_has(sh("errand --url sqlite:a.db queue:status --queue=default --json").out,
               "\"paused_until\":null");
}

TEST(a_job_that_is_another_one_there_is_named_and_kept)
{
    struct run r;

    assert_code(sh("errand --url sqlite:b.db queue:dispatch other --id=a"), 0);
    r = sh(MOVE);
    assert_code(r, 1);
    assert_has(r.err, "job 'a' is in both stores and its name is not the same");
    /* Refused before anything was done. */
    assert_has(sh("errand --url sqlite:a.db queue:status --queue=default --json").out,
               "\"paused_until\":null");
    assert_code(sh("errand --url sqlite:b.db queue:inspect b"), 3);
    assert_code(sh("errand --url sqlite:a.db queue:inspect a"), 0);
    assert_code(sh("errand --url sqlite:b.db queue:forget a"), 0);
    assert_code(sh(MOVE), 0);
    assert_has(sh("errand --url sqlite:b.db queue:inspect a").out, "one");
}

/* The worker has a job that sleeps: it is alive and at work. */
TEST(a_source_with_workers_is_left_alone)
{
    struct run r =
        sh("mkdir -p app/Jobs; printf '#!/bin/sh\\necho began >began; sleep 30\\n' "
           ">app/Jobs/one; chmod +x app/Jobs/one; touch errand.yml; errand --url "
           "sqlite:a.db queue:work >/dev/null 2>&1 & until test -e began; do sleep 0.1; "
           "done; " MOVE " --force; echo $? >code; kill -9 $!; cat code");

    assert_has(r.out, "75\n");
    assert_has(r.err, "runs");
    assert_has(sh("errand --url sqlite:a.db queue:status --queue=default --json").out,
               "\"paused_until\":null");
}

TEST(both_stores_must_be_named)
{
    assert_code(sh("errand move --from sqlite:a.db"), 2);
    assert_code(sh("errand move --to sqlite:a.db"), 2);
    assert_code(sh("errand move --from sqlite:nope.db --to sqlite:b.db"), 3);
    assert_code(sh("errand move --from sqlite:a.db --to nope:x"), 2);
}

TEST_MAIN()
