/* wait.c: waiting for a job, handles and processes, and the caller's own transaction. */
#include "client/client_test.h"

#include <pthread.h>
#include <sys/wait.h>

#include <sqlite3.h>

/* ------------------------------------------------------------------ wait */

CLAIM(waiting_for_an_ended_job_answers_at_once)
{
    struct errand_id done = dispatched("a", NULL, NULL);

    assert_true(work_one(e, ERRAND_OUT_DONE));
    assert_int_equal(errand_wait(e, &done, 0, &err), ERRAND_COMPLETED);
    assert_int_equal(errand_wait(e, &done, -1, NULL), ERRAND_COMPLETED);
    struct errand_id failed = dispatched("a", NULL, NULL);
    assert_true(work_one(e, ERRAND_OUT_FAIL));
    assert_int_equal(errand_wait(e, &failed, -1, &err), ERRAND_FAILED);
}

CLAIM(a_job_that_does_not_end_is_a_time_out)
{
    struct errand_id id = dispatched("a", NULL, NULL);

    assert_int_equal(errand_wait(e, &id, 0, &err), ERRAND_ETIMEOUT);
    assert_non_null(strstr(err.message, "ready"));
    assert_true(err.retryable);
    assert_int_equal(errand_wait(e, &id, 20, &err), ERRAND_ETIMEOUT);
}

CLAIM(a_job_that_is_not_there_is_not_waited_for)
{
    struct errand_id id = {"no-such-job"};

    assert_int_equal(errand_wait(e, &id, -1, &err), ERRAND_ENOTFOUND);
}

/* Ends the job through a handle of its own, after the waiter has had time to sleep: when
 * it has not, the claim holds as well. */
static void *end_soon(void *arg)
{
    errand *own = arg;

    usleep(50000);
    assert_true(work_one(own, ERRAND_OUT_DONE));
    return NULL;
}

CLAIM(a_waiter_hears_of_the_end_from_another_handle)
{
    struct errand_id id = dispatched("a", NULL, NULL);
    errand *other = open_again();
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, end_soon, other), 0);
    assert_int_equal(errand_wait(e, &id, -1, &err), ERRAND_COMPLETED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    errand_close(other);
}

/* The other process works with a handle of its own. */
static void end_from_another_process(void)
{
    struct errand_id id = dispatched("a", NULL, NULL);
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        errand *own = errand_open(test_url, NULL, &err);
        bool is_done = own && work_one(own, ERRAND_OUT_DONE);
        errand_close(own);
        _exit(is_done ? 0 : 1);
    }
    assert_int_equal(errand_wait(e, &id, 60000, &err), ERRAND_COMPLETED);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

TEST(a_waiter_hears_of_the_end_from_another_process)
{
    client_test_run("sqlite", end_from_another_process);
}

/* Nothing is kept of a completed job: whoever waits for it is told that it is gone. */
static void waits_for_what_is_not_kept(void)
{
    const struct errand_config none = {.keep_completed_n = ERRAND_KEEP_NONE};
    errand *own = errand_open(test_url, &none, &err);
    struct errand_id id;
    pthread_t thread;
    int rc;

    assert_non_null(own);
    id = dispatched("a", NULL, NULL);
    assert_int_equal(pthread_create(&thread, NULL, end_soon, own), 0);
    rc = errand_wait(e, &id, -1, &err);
    assert_int_equal(pthread_join(thread, NULL), 0);
    errand_close(own);
    assert_true(rc == ERRAND_ENOTFOUND || rc == ERRAND_COMPLETED);
}

TEST(a_job_that_is_not_kept_does_not_hang_its_waiter)
{
    client_test_run("sqlite", waits_for_what_is_not_kept);
    client_test_run("memory", waits_for_what_is_not_kept);
}

/* ------------------------------------------------------------------ busy */

static sqlite3 *lock_store(void)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(test_url + strlen("sqlite:"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return db;
}

static void *unlock_soon(void *arg)
{
    usleep(50000);
    assert_int_equal(sqlite3_close(arg), SQLITE_OK); /* rolls back */
    return NULL;
}

static void waits_for_another_writer(void)
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, unlock_soon, lock_store()), 0);
    dispatched("a", NULL, NULL);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

TEST(another_writer_is_waited_for)
{
    client_test_run("sqlite", waits_for_another_writer);
}

static void gives_up_after_busy_ms(void)
{
    errand *own = errand_open(test_url, &(struct errand_config){.busy_ms = 30}, &err);
    sqlite3 *db = lock_store();

    assert_int_equal(errand_dispatch(own, "a", NULL, NULL, NULL, &err), ERRAND_EBUSY);
    assert_true(err.retryable);
    sqlite3_close(db);
    assert_int_equal(errand_dispatch(own, "a", NULL, NULL, NULL, &err), ERRAND_INSERTED);
    errand_close(own);
}

TEST(a_writer_that_does_not_end_is_told_as_busy)
{
    client_test_run("sqlite", gives_up_after_busy_ms);
}

/* ------------------------------------------------------------------ fork */

/* T22: the handle is refused in a child, closing it there does no harm. */
CLAIM(a_handle_is_refused_in_the_child_of_a_fork)
{
    struct errand_id id = dispatched("a", NULL, NULL);
    struct errand_job_detail *d;
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        bool is_refused =
            errand_dispatch(e, "b", NULL, NULL, NULL, &err) == ERRAND_EFORKED &&
            errand_get(e, &id, &d, &err) == ERRAND_EFORKED &&
            errand_wait(e, &id, 0, &err) == ERRAND_EFORKED;
        errand_close(e);
        _exit(is_refused ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    dispatched("c", NULL, NULL);
    d = get(&id);
    errand_detail_free(d);
}

/* ------------------------------------------------------------------ transaction */

static int count_jobs(void)
{
    struct errand_filter all = {0};
    int64_t n;

    assert_int_equal(er_store_count(er_client_store(e), &all, 0, &n, &err), 0);
    return (int)n;
}

static void sql(sqlite3 *db, const char *text)
{
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(db));
}

static void job_lives_and_dies_with_the_callers_transaction(void)
{
    struct errand_id id;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(test_url + strlen("sqlite:"), &db), SQLITE_OK);
    sql(db, "CREATE TABLE orders(id INTEGER PRIMARY KEY)");
    sql(db, "BEGIN IMMEDIATE; INSERT INTO orders VALUES(1)");
    id = dispatched("a", "1", &(struct errand_options){.transaction = db});
    assert_int_equal(count_jobs(), 0);
    sql(db, "ROLLBACK");
    assert_int_equal(count_jobs(), 0);
    sql(db, "BEGIN IMMEDIATE; INSERT INTO orders VALUES(1)");
    id = dispatched("a", "1", &(struct errand_options){.transaction = db});
    sql(db, "COMMIT");
    assert_int_equal(count_jobs(), 1);
    struct errand_job_detail *d = get(&id);
    assert_int_equal(d->job.state, ERRAND_READY);
    errand_detail_free(d);
    sqlite3_close(db);
}

TEST(a_job_lives_and_dies_with_the_callers_transaction)
{
    client_test_run("sqlite", job_lives_and_dies_with_the_callers_transaction);
}

static void bulk_takes_one_transaction(void)
{
    const struct errand_options in = {.transaction = &err};
    const struct errand_dispatch_item items[] = {{.name = "a", .options = &in},
                                                 {.name = "b"}};

    assert_int_equal(errand_dispatch_bulk(e, items, 2, NULL, &err), ERRAND_EINVAL);
    assert_non_null(strstr(err.message, "job 2 of 2: transaction"));
}

TEST(bulk_refuses_two_transactions)
{
    client_test_run("memory", bulk_takes_one_transaction);
}

static void memory_has_no_transaction(void)
{
    refuse("a", "1", &(struct errand_options){.transaction = &err}, ERRAND_EUNSUPPORTED,
           "");
}

TEST(a_store_without_transactions_says_so)
{
    client_test_run("memory", memory_has_no_transaction);
}

/* ------------------------------------------------------------------ opening */

static void must_exist(void)
{
    char url[160];

    snprintf(url, sizeof url, "sqlite:%s/no.db", test_folder);
    assert_null(errand_open(url, &(struct errand_config){.must_exist = true}, &err));
    assert_int_equal(err.code, ERRAND_ENOTFOUND);
    assert_int_equal(access(url + strlen("sqlite:"), F_OK), -1);
}

TEST(a_store_that_must_exist_is_not_made)
{
    client_test_run("sqlite", must_exist);
}

static void read_only(void)
{
    struct errand_id id = dispatched("a", NULL, NULL);
    errand *reader =
        errand_open(test_url, &(struct errand_config){.read_only = true}, &err);
    struct errand_job_detail *d;

    assert_non_null(reader);
    assert_int_equal(errand_get(reader, &id, &d, &err), 0);
    errand_detail_free(d);
    assert_int_equal(errand_dispatch(reader, "a", NULL, NULL, NULL, &err),
                     ERRAND_EREADONLY);
    errand_close(reader);
}

TEST(a_reader_looks_and_does_not_dispatch)
{
    client_test_run("sqlite", read_only);
}

TEST_MAIN()
