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

TEST_MAIN()
