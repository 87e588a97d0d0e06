/* signals.c: what a worker does when it is told to stop, to be quiet, to go on. */
#include <sqlite3.h>

#include "worker/process.h"

/* T13 */
TEST(term_lets_what_runs_finish_and_begins_nothing_more)
{
    struct errand_id running[2], waiting[20];
    pid_t pid;

    for (int i = 0; i < 2; i++)
        running[i] = push("wait", "{}", NULL);
    for (int i = 0; i < 20; i++)
        waiting[i] = push("noop", "{}", NULL);
    pid = WORKER("concurrency=2");
    for (int i = 0; i < 2; i++)
        until_ledger("start", running[i], 1);
    kill(pid, SIGTERM);
    usleep(200000); /* else what ends now may be seen before the signal */
    go();
    assert_int_equal(ended(pid, 5000), 0);
    for (int i = 0; i < 2; i++)
        assert_state(running[i], ERRAND_COMPLETED);
    for (int i = 0; i < 20; i++) {
        struct errand_job_detail *job = look(waiting[i]);
        assert_int_equal(job->job.state, ERRAND_READY);
        assert_int_equal(job->job.attempts, 0);
        errand_detail_free(job);
    }
}

TEST(what_does_not_finish_in_the_grace_is_handed_back)
{
    struct errand_id id = push("wait", "{}", NULL);
    struct errand_job_detail *job;
    pid_t pid = WORKER("grace=0.2"), runner;

    until_ledger("start", id, 1);
    runner = ledger_pid("start", id);
    kill(pid, SIGTERM);
    assert_int_equal(ended(pid, 2200), 0);
    assert_int_equal(kill(runner, 0), -1);
    job = look(id);
    assert_int_equal(job->job.state, ERRAND_READY);
    assert_int_equal(job->job.attempts, 0);
    errand_detail_free(job);
}

TEST(a_second_term_ends_it_at_once)
{
    struct errand_id id = push("wait", "{}", NULL);
    pid_t pid = WORKER("grace=60");

    until_ledger("start", id, 1);
    kill(pid, SIGTERM);
    usleep(20000); /* else the two may arrive as one */
    kill(pid, SIGTERM);
    assert_int_equal(ended(pid, 2000), 0);
    assert_state(id, ERRAND_READY);
}

TEST(int_stops_it_too)
{
    struct errand_id id = push("noop", "{}", NULL);
    pid_t pid = WORKER("concurrency=1");

    until_state(id, ERRAND_COMPLETED);
    kill(pid, SIGINT);
    assert_int_equal(ended(pid, 2000), 0);
}

TEST(a_handler_can_see_that_the_worker_stops)
{
    struct errand_id id = push("polite", "{}", NULL);
    pid_t pid = WORKER("grace=60");

    until_ledger("start", id, 1);
    kill(pid, SIGTERM);
    assert_int_equal(ended(pid, 5000), 0);
    assert_int_equal(ledger_count("stopped", id), 1);
}

TEST(tstp_quiets_it_and_cont_lets_it_go_on)
{
    struct errand_id first = push("noop", "{}", NULL), second;
    pid_t pid = WORKER("concurrency=1");

    until_state(first, ERRAND_COMPLETED);
    kill(pid, SIGTSTP);
    usleep(50000);
    second = push("noop", "{}", NULL);
    usleep(300000); /* a job would have been run long before */
    assert_state(second, ERRAND_READY);
    kill(pid, SIGCONT);
    until_state(second, ERRAND_COMPLETED);
}

TEST(other_signals_are_nothing_to_it)
{
    struct errand_id ids[200];
    pid_t pid = WORKER("concurrency=2");

    for (int i = 0; i < 200; i++) {
        ids[i] = push("noop", "{}", NULL);
        kill(pid, i % 2 ? SIGWINCH : SIGCHLD);
    }
    for (int i = 0; i < 200; i++) {
        until_state(ids[i], ERRAND_COMPLETED);
        kill(pid, SIGHUP);
    }
    kill(pid, SIGTERM);
    assert_int_equal(ended(pid, 5000), 0);
    for (int i = 0; i < 200; i++)
        assert_int_equal(ledger_count("done", ids[i]), 1);
}

/* T15: whoever holds the database cannot hold the worker. */
TEST(a_second_term_ends_it_while_the_store_is_locked)
{
    struct errand_id id = push("wait", "{}", NULL);
    pid_t pid = WORKER("grace=60", "lease=3");
    sqlite3 *other = NULL;

    until_ledger("start", id, 1);
    assert_int_equal(sqlite3_open(store_url + strlen("sqlite:"), &other), SQLITE_OK);
    sqlite3_busy_timeout(other, 5000);
    assert_int_equal(sqlite3_exec(other, "begin exclusive", NULL, NULL, NULL), SQLITE_OK);
    kill(pid, SIGTERM);
    usleep(50000);
    kill(pid, SIGTERM);
    assert_int_equal(ended(pid, 2000), 0);
    assert_int_equal(sqlite3_exec(other, "rollback", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    assert_state(id, ERRAND_RUNNING); /* until its lease is over */
    pid = WORKER("lease=3");
    until_ledger("start", id, 2);
    go();
    until_state(id, ERRAND_COMPLETED);
}

PROCESS_MAIN()
