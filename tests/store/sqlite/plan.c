/* Every statement prepares, uses the index that its file promises, and on the hot path
 * reads no table from end to end. */
#include "store/sqlite/files.h"

#include "store/sqlite/sqlite.h"

TEST_FIXTURE(files_setup, files_teardown)

static void plan_read(sqlite3 *db, const struct er_sql_text *sql, char *ret, size_t size)
{
    char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql->text);
    sqlite3_stmt *st = NULL;
    size_t used = 0;

    ret[0] = '\0';
    if (sqlite3_prepare_v2(db, explain, -1, &st, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql->name, sqlite3_errmsg(db));
    while (sqlite3_step(st) == SQLITE_ROW && used < size)
        used +=
            (size_t)snprintf(ret + used, size - used, "%s\n", sqlite3_column_text(st, 3));
    sqlite3_finalize(st);
    sqlite3_free(explain);
}

TEST(every_statement_keeps_the_promise_of_its_file)
{
    struct errand_conn *conn = open_ok();
    sqlite3 *db = plain_open(file);
    size_t promises = 0, hot = 0;
    char plan[4096];

    for (size_t i = 0; i < ER_SQL_N; i++) {
        const struct er_sql_text *sql = &er_sql_texts[i];
        plan_read(db, sql, plan, sizeof plan);
        promises += sql->plan[0] != '\0';
        hot += sql->is_hot;
        if (!strstr(plan, sql->plan))
            fail_msg("%s promises '%s' and does\n%s", sql->name, sql->plan, plan);
        /* The newest job is found at the end of its table: a scan of one row. */
        if (sql->is_hot && strstr(plan, "SCAN") && !strstr(sql->text, "LIMIT 1"))
            fail_msg("%s is hot and reads all of a table:\n%s", sql->name, plan);
        if (sql->is_hot && strstr(plan, "TEMP B-TREE"))
            fail_msg("%s is hot and sorts:\n%s", sql->name, plan);
    }
    assert_true(promises > 20 && hot > 80);
    sqlite3_close(db);
    driver->close(conn);
}

static int step_count(void *n)
{
    ++*(int *)n;
    return 0;
}

static void page_is(struct errand_conn *conn, const struct errand_reserved *want,
                    bool newest_first, const struct errand_id *after)
{
    struct errand_list_params p = {
        .filter.states = 1u << ERRAND_RUNNING, .newest_first = newest_first, .max = 10};
    struct errand_list_result got = {0};
    size_t skipped = after ? 1 : 0;

    if (after)
        p.after = *after;
    assert_int_equal(driver->list(conn, &p, arena, &got, &err), 0);
    assert_int_equal(got.jobs_n, 3 - skipped);
    for (size_t i = 0; i < got.jobs_n; i++) {
        size_t k = newest_first ? 2 - skipped - i : i + skipped;

        assert_string_equal(got.jobs[i].id.text, want[k].id.text);
        assert_int_equal(got.jobs[i].state, ERRAND_RUNNING);
    }
}

TEST(what_runs_is_listed_without_reading_what_waits)
{
    struct errand_conn *conn = open_ok();
    struct errand_exchange_result got;
    int thousands = 0;

    for (int i = 0; i < 2000; i++)
        push_ok(conn);
    got = reserve(conn, 3);
    assert_int_equal(got.jobs_n, 3);
    sqlite3_progress_handler(((struct er_sqlite *)conn)->db.handle, 1000, step_count,
                             &thousands);
    page_is(conn, got.jobs, false, NULL);
    page_is(conn, got.jobs, true, NULL);
    page_is(conn, got.jobs, false, &got.jobs[0].id);
    page_is(conn, got.jobs, true, &got.jobs[2].id);
    assert_int_equal(count(conn, 1u << ERRAND_RUNNING), 3);
    assert_in_range(thousands, 0, 2);
    driver->close(conn);
}

TEST_MAIN()
