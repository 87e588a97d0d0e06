/* Jobs in the application's own transaction: by the library on the application's
 * connection, and by plain SQL. */
#include "store/sqlite/files.h"

TEST_FIXTURE(files_setup, files_teardown)

static struct errand_conn *conn;
static sqlite3 *app;

static void begin(void)
{
    conn = open_ok();
    app = plain_open(file);
    plain_exec(app, "CREATE TABLE orders(id INTEGER PRIMARY KEY)");
}

static void end(void)
{
    assert_sound(conn);
    sqlite3_close(app);
    driver->close(conn);
}

TEST(a_job_is_committed_with_the_rows_of_the_application)
{
    struct errand_pushed_job pushed;

    begin();
    plain_exec(app, "BEGIN IMMEDIATE; INSERT INTO orders VALUES(1)");
    assert_int_equal(push_try(conn, (struct errand_push_job){0}, app, &pushed), 0);
    assert_int_equal(pushed.state, ERRAND_READY);
    assert_int_equal(count(conn, 0), 0);
    assert_int_equal(sqlite3_get_autocommit(app), 0);
    plain_exec(app, "COMMIT");
    assert_int_equal(count(conn, 0), 1);
    assert_string_equal(reserve(conn, 1).jobs[0].id.text, pushed.id.text);
    end();
}

/* The application may be the first to have opened the store that took its place. */
TEST(a_transaction_in_the_store_that_took_the_place_is_joined)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    struct errand_pushed_job pushed;
    char path[128];

    begin();
    push_ok(conn);
    sqlite3_close(app);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", file, suffixes[i]);
        unlink(path);
    }
    driver->close(open_ok());
    app = plain_open(file);
    plain_exec(app, "BEGIN IMMEDIATE");
    assert_int_equal(push_try(conn, (struct errand_push_job){0}, app, &pushed), 0);
    plain_exec(app, "COMMIT");
    assert_string_equal(reserve(conn, 1).jobs[0].id.text, pushed.id.text);
    end();
}

TEST(it_is_told_to_those_who_follow_when_it_is_committed)
{
    struct errand_events_params p = {.max = 10, .follow_ms = 60000};
    struct errand_events_result ret = {0};

    begin();
    assert_int_equal(driver->events_read(conn, &p, arena, &ret, NULL), 0);
    plain_exec(app, "BEGIN IMMEDIATE; INSERT INTO orders VALUES(1)");
    assert_int_equal(push_try(conn, (struct errand_push_job){0}, app, NULL), 0);
    assert_int_equal(driver->events_read(conn, &p, arena, &ret, NULL), 0);
    assert_int_equal(ret.events_n, 0);
    plain_exec(app, "COMMIT");
    assert_int_equal(driver->events_read(conn, &p, arena, &ret, NULL), 0);
    assert_int_equal(ret.events_n, 1);
    assert_string_equal(ret.events[0].type, "job:dispatched");
    end();
}

TEST(a_rollback_takes_the_job_away)
{
    begin();
    plain_exec(app, "BEGIN IMMEDIATE; INSERT INTO orders VALUES(1)");
    assert_int_equal(push_try(conn, (struct errand_push_job){.queue = "new"}, app, NULL),
                     0);
    plain_exec(app, "ROLLBACK");
    assert_int_equal(count(conn, 0), 0);
    push_ok(conn);
    end();
}

/* The numbers that this connection had put aside must not come after those of another. */
TEST(the_order_is_that_of_insertion_over_both_ways)
{
    struct errand_pushed_job a, b, c;

    begin();
    a = push_ok(conn);
    plain_exec(app, "BEGIN IMMEDIATE");
    assert_int_equal(push_try(conn, (struct errand_push_job){0}, app, &b), 0);
    plain_exec(app, "COMMIT");
    c = push_ok(conn);
    assert_true(strcmp(a.id.text, b.id.text) < 0);
    assert_true(strcmp(b.id.text, c.id.text) < 0);
    end();
}

TEST(what_fails_leaves_the_transaction_as_it_was)
{
    struct errand_push_job job = {
        .batch = {.text = "no-such-batch"}, .queue = "new", .name = "new"};

    begin();
    plain_exec(app, "BEGIN IMMEDIATE; INSERT INTO orders VALUES(1)");
    assert_int_equal(push_try(conn, job, app, NULL), ERRAND_ENOTFOUND);
    assert_int_equal(sqlite3_get_autocommit(app), 0);
    assert_int_equal(plain_number(app, "SELECT count(*) FROM errand_queues WHERE id > 0"),
                     0);
    assert_int_equal(push_try(conn, (struct errand_push_job){0}, app, NULL), 0);
    plain_exec(app, "COMMIT");
    assert_int_equal(plain_number(app, "SELECT count(*) FROM orders"), 1);
    assert_int_equal(count(conn, 0), 1);
    end();
}

TEST(without_a_transaction_it_is_an_error)
{
    begin();
    assert_int_equal(push_try(conn, (struct errand_push_job){0}, app, NULL),
                     ERRAND_EINVAL);
    assert_says("BEGIN IMMEDIATE");
    end();
}

TEST(a_connection_to_another_file_is_an_error)
{
    char other[128];
    sqlite3 *db;

    begin();
    snprintf(other, sizeof other, "%s/other.db", folder);
    db = plain_open(other);
    plain_exec(db, "CREATE TABLE orders(id); BEGIN IMMEDIATE");
    assert_int_equal(push_try(conn, (struct errand_push_job){0}, db, NULL),
                     ERRAND_EINVAL);
    assert_says("other.db");
    sqlite3_close(db);
    end();
}

/* ------------------------------------------------------------ plain SQL */

TEST(plain_sql_pushes_jobs_that_run)
{
    struct errand_exchange_result got;

    begin();
    plain_exec(app, "BEGIN IMMEDIATE; INSERT INTO orders VALUES(1);"
                    "INSERT INTO push(queue, name, payload, prio) VALUES('mail', 'send', "
                    "'{\"order\":1}', -5); COMMIT");
    got = reserve(conn, 5);
    assert_int_equal(got.jobs_n, 1);
    assert_string_equal(got.jobs[0].name, "send");
    assert_string_equal(got.jobs[0].queue, "mail");
    assert_int_equal(got.jobs[0].priority, -5);
    assert_int_equal(got.jobs[0].tries, 3);
    assert_memory_equal(got.jobs[0].data.ptr, "{\"order\":1}", got.jobs[0].data.len);
    end();
}

TEST(plain_sql_can_put_off_and_roll_back)
{
    begin();
    plain_exec(app, "INSERT INTO push(name, delay) VALUES('later', 60)");
    assert_int_equal(count(conn, 1u << ERRAND_SCHEDULED), 1);
    plain_exec(app, "BEGIN; INSERT INTO push(name) VALUES('never'); ROLLBACK");
    assert_int_equal(count(conn, 0), 1);
    plain_exec(app, "INSERT INTO push(name, payload) SELECT 'n', value FROM "
                    "json_each('[1,2,3]')");
    assert_int_equal(count(conn, 1u << ERRAND_READY), 3);
    end();
}

TEST(plain_sql_holds_a_unique_key_until_done)
{
    struct errand_push_job same = {
        .unique = &(struct errand_unique){.key = {"k", 1}, .until = ERRAND_UNIQUE_DONE}};
    struct errand_pushed_job pushed;

    begin();
    plain_exec(app, "INSERT INTO push(name, ukey) VALUES('a', 'k'), ('b', 'k')");
    assert_int_equal(count(conn, 0), 1);
    assert_int_equal(push_try(conn, same, NULL, &pushed), 0);
    assert_int_equal(pushed.pushed, ERRAND_DUPLICATE);
    end();
}

TEST(plain_sql_refuses_what_the_library_refuses)
{
    static const struct {
        const char *sql, *says;
    } bad[] = {
        {"INSERT INTO push(payload) VALUES('1')", "name is null"},
        {"INSERT INTO push(name) VALUES('a b')", "name may have"},
        {"INSERT INTO push(name, queue) VALUES('a', 'x;y')", "queue may have"},
        {"INSERT INTO push(name, payload) VALUES('a', '{bad')", "not JSON"},
        {"INSERT INTO push(name, delay) VALUES('a', 'soon')", "delay"},
        {"INSERT INTO push(name, tries) VALUES('a', 0)", "tries"},
    };

    begin();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *text = NULL;
        assert_int_equal(sqlite3_exec(app, bad[i].sql, NULL, NULL, &text),
                         SQLITE_CONSTRAINT);
        assert_non_null(strstr(text, bad[i].says));
        sqlite3_free(text);
    }
    assert_int_equal(count(conn, 0), 0);
    end();
}

TEST_MAIN()
