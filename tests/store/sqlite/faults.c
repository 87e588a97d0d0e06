/* Faults: a full disk, somebody else's lock, a fork, another boot. */
#include "store/sqlite/files.h"

#include <pthread.h>
#include <sys/wait.h>
#include <time.h>

#include "store/sqlite/sqlite.h"

TEST_FIXTURE(files_setup, files_teardown)

static sqlite3 *handle_of(struct errand_conn *conn)
{
    return ((struct er_sqlite *)conn)->db.handle;
}

/* T16 in small: the file may not grow. */
TEST(a_full_disk_refuses_and_loses_nothing)
{
    struct errand_conn *conn = open_ok();
    char data[2000], pragma[64];
    int64_t pushed = 0;
    int rc;

    memset(data, ' ', sizeof data);
    snprintf(pragma, sizeof pragma, "PRAGMA max_page_count=%d",
             (int)plain_number(handle_of(conn), "PRAGMA page_count") + 50);
    plain_exec(handle_of(conn), pragma);
    while ((rc = push_try(conn, (struct errand_push_job){.data = {data, sizeof data}},
                          NULL, NULL)) == 0)
        pushed++;
    assert_int_equal(rc, ERRAND_EFULL);
    assert_true(err.retryable);
    assert_true(pushed > 10);
    assert_sound(conn);
    assert_int_equal(count(conn, 0), pushed);
    plain_exec(handle_of(conn), "PRAGMA max_page_count=1000000");
    push_ok(conn);
    assert_int_equal((int64_t)reserve(conn, 1000).jobs_n, pushed + 1);
    assert_sound(conn);
    driver->close(conn);
}

static int push_at(struct errand_conn *conn, int64_t now_ms)
{
    struct errand_push_job job = {.name = "job", .queue = "line", .tries = 3};
    struct errand_push_params p = {.now_ms = now_ms, .jobs = &job, .jobs_n = 1};
    struct errand_push_result ret = {0};

    return driver->push(conn, &p, arena, &ret, &err);
}

/* Who opens the path from now on makes a store of their own. */
TEST(a_file_that_has_another_name_now_is_noticed_within_a_second)
{
    struct errand_conn *conn = open_ok();
    char moved[128];

    snprintf(moved, sizeof moved, "%s/other.db", folder);
    assert_int_equal(push_at(conn, 1000000), 0);
    assert_int_equal(rename(file, moved), 0);
    assert_int_equal(push_at(conn, 1001000), ERRAND_EUNAVAILABLE);
    assert_int_equal(rename(moved, file), 0);
    assert_int_equal(push_at(conn, 1002000), 0);
    assert_int_equal(count(conn, 0), 2);
    driver->close(conn);
}

TEST(a_file_that_was_replaced_is_noticed_at_once)
{
    struct errand_conn *conn = open_ok();
    char other[128];
    FILE *f;

    snprintf(other, sizeof other, "%s/other.db", folder);
    assert_int_equal(push_at(conn, 1000000), 0);
    assert_non_null(f = fopen(other, "w"));
    fclose(f);
    assert_int_equal(rename(other, file), 0);
    assert_int_equal(push_at(conn, 1000001), ERRAND_EUNAVAILABLE);
    driver->close(conn);
}

TEST(a_lock_that_is_held_too_long_is_busy_and_can_be_tried_again)
{
    struct errand_conn *conn = NULL;
    sqlite3 *other;

    driver->close(open_ok());
    assert_int_equal(open_at(url, (struct errand_open_params){.busy_ms = 50}, &conn), 0);
    other = plain_open(file);
    plain_exec(other, "BEGIN EXCLUSIVE");
    assert_int_equal(push_try(conn, (struct errand_push_job){0}, NULL, NULL),
                     ERRAND_EBUSY);
    assert_true(err.retryable);
    assert_int_equal(count(conn, 0), 0); /* readers go on */
    plain_exec(other, "COMMIT");
    push_ok(conn);
    sqlite3_close(other);
    driver->close(conn);
}

/* Until the other end of the pipe is closed. */
static pid_t hold_elsewhere(int fds[2])
{
    pid_t pid;
    char byte;

    assert_int_equal(pipe(fds), 0);
    if ((pid = fork()) == 0) {
        sqlite3 *own = plain_open(file);
        close(fds[1]);
        plain_exec(own, "BEGIN IMMEDIATE");
        while (read(fds[0], &byte, 1) > 0)
            ;
        _exit(0);
    }
    close(fds[0]);
    return pid;
}

TEST(who_holds_the_lock_is_told_by_number_and_name)
{
    struct errand_conn *conn = NULL;
    char number[32];
    int fds[2];
    pid_t pid;

    driver->close(open_ok());
    pid = hold_elsewhere(fds);
    assert_int_equal(open_at(url, (struct errand_open_params){.busy_ms = 20}, &conn), 0);
    while (push_try(conn, (struct errand_push_job){0}, NULL, NULL) == 0)
        ; /* it has not begun yet */
    snprintf(number, sizeof number, "process %ld (test-", (long)pid);
    assert_non_null(strstr(err.message, number));
    close(fds[1]);
    waitpid(pid, NULL, 0);
    push_ok(conn);
    driver->close(conn);
}

static void *release_later(void *db)
{
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    plain_exec(db, "COMMIT");
    return NULL;
}

/* T20 in small */
TEST(a_lock_that_is_given_up_in_time_is_waited_for)
{
    struct errand_conn *conn = open_ok();
    sqlite3 *other = plain_open(file);
    pthread_t thread;

    plain_exec(other, "BEGIN EXCLUSIVE");
    assert_int_equal(pthread_create(&thread, NULL, release_later, other), 0);
    push_ok(conn);
    pthread_join(thread, NULL);
    sqlite3_close(other);
    driver->close(conn);
}

/* T22 in small: the locks of the parent are not the child's to drop. */
TEST(a_child_that_lets_go_leaves_the_parent_unharmed)
{
    struct errand_conn *conn = open_ok();
    sqlite3 *other = plain_open(file);

    for (int i = 0; i < 50; i++) {
        int status;
        pid_t pid;
        push_ok(conn);
        plain_exec(handle_of(conn), "BEGIN IMMEDIATE");
        if ((pid = fork()) == 0) {
            driver->abandon(conn);
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        sqlite3_busy_timeout(other, 0);
        assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                         SQLITE_BUSY);
        plain_exec(handle_of(conn), "COMMIT");
    }
    assert_int_equal(count(conn, 0), 50);
    assert_sound(conn);
    sqlite3_close(other);
    driver->close(conn);
}

TEST(leases_of_an_earlier_boot_are_over)
{
    struct errand_conn *conn = open_ok();
    struct errand_reap_params p = {.max = 10};
    struct errand_reap_result ret = {0};

    push_ok(conn);
    assert_int_equal(reserve(conn, 1).jobs_n, 1);
    assert_int_equal(driver->reap(conn, &p, arena, &ret, &err), 0);
    assert_int_equal(ret.ready_n, 0);
    plain_exec(handle_of(conn), "UPDATE errand_leases SET boot = boot + 1");
    assert_int_equal(driver->reap(conn, &p, arena, &ret, &err), 0);
    assert_int_equal(ret.ready_n, 1);
    assert_sound(conn);
    driver->close(conn);
}

/* Who starts together makes one schema. */
static void *open_once(void *arg)
{
    struct errand_open_params p = {.url = url, .shown = url, .create = true};
    struct errand_conn *conn = NULL;
    struct errand_error error;

    *(int *)arg = driver->open(&p, &conn, &error);
    if (*(int *)arg < 0)
        print_error("%s\n", error.message);
    driver->close(conn);
    return NULL;
}

TEST(many_that_start_at_once_agree)
{
    enum { N = 8 };
    pthread_t threads[N];
    int answers[N];
    struct errand_conn *conn;

    for (int i = 0; i < N; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_once, &answers[i]), 0);
    for (int i = 0; i < N; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < N; i++)
        assert_int_equal(answers[i], 0);
    conn = open_ok();
    assert_sound(conn);
    driver->close(conn);
}

/* The clock of the machine may be set back: ids and order must not. */
TEST(creation_never_steps_back)
{
    struct errand_conn *conn = open_ok();
    struct errand_push_job job = {.name = "job", .queue = "line", .tries = 1};
    struct errand_push_params p = {.now_ms = 2000000, .jobs = &job, .jobs_n = 1};
    struct errand_push_result a = {0}, b = {0};

    assert_int_equal(driver->push(conn, &p, arena, &a, &err), 0);
    driver->close(conn);
    conn = open_ok();
    p.now_ms = 1000000;
    assert_int_equal(driver->push(conn, &p, arena, &b, &err), 0);
    assert_true(strcmp(a.jobs[0].id.text, b.jobs[0].id.text) < 0);
    driver->close(conn);
}

/* A number as old as the store means the same job after it has completed. */
TEST(a_completed_job_is_found_by_its_id)
{
    struct errand_conn *conn = open_ok();
    struct errand_pushed_job pushed = push_ok(conn);
    struct errand_exchange_result got = reserve(conn, 1);
    struct errand_outcome done = {.token = got.token, .key = got.jobs[0].key};
    struct errand_exchange_params p = {.outcomes = &done, .outcomes_n = 1};
    struct errand_job_detail detail = {0};

    assert_int_equal(driver->exchange(conn, &p, arena, &got, &err), 0);
    assert_int_equal(driver->get(conn, &pushed.id, 0, arena, &detail, &err), 0);
    assert_int_equal(detail.job.state, ERRAND_COMPLETED);
    assert_int_equal(detail.attempts_n, 1);
    driver->close(conn);
}

TEST_MAIN()
