/* upkeep.c: the tables that every job writes are kept small, and who is in the way of
 * that is named (sql/upkeep.sql). */
#include "store/postgres/upkeep.h"

#include <stdio.h>

#include "core/clock.h"
#include "store/postgres/rest.h"

/* A table is vacuumed when so many of its rows are gone, and each five seconds at most:
 * measured, a queue at full speed then keeps its tables at 20 MB where they grow by 15 MB
 * a second. What a VACUUM cannot clear away because of an old snapshot it reads each time
 * in vain: a twentieth of the time is the most it may take. */
enum { DEAD_ROWS = 20000, EVERY_MS = 5000, SHARE = 20 };
/* What is old enough to be worth a word. Ten seconds at full speed leave half a million
 * rows that nobody can clear away, and who asks the doctor wants to know now. */
enum { OLD_MS = 10000, OLD_XIDS = 10000 };

static void vacuum(struct er_pg *conn, const char *table)
{
    char sql[256];

    /* Without TRUNCATE, which would take the table from everybody else; who else has it
     * does the same just now. */
    snprintf(sql, sizeof sql, "VACUUM (TRUNCATE off, SKIP_LOCKED) %s", table);
    er_pg_exec(conn, sql, NULL, NULL);
}

void er_pg_upkeep(struct er_pg *conn)
{
    int64_t began_ms = er_clock_mono_ms(NULL);
    struct er_pg_rows rows;
    struct er_pg_args args;

    if (began_ms < conn->upkeep_ms)
        return;
    conn->upkeep_ms = began_ms + EVERY_MS;
    er_pg_args_init(&args);
    er_pg_int(&args, EVERY_MS);
    er_pg_int(&args, DEAD_ROWS);
    if (er_pg_ask(&conn->base, "vacuum_due", ER_PG_HARMLESS, &args, &rows, NULL) < 0)
        return;
    for (int i = 0; i < rows.n; i++) {
        struct errand_slice name = er_pg_peek(&rows, i, 0);
        char table[160];
        snprintf(table, sizeof table, "%.*s", (int)name.len, name.ptr);
        vacuum(conn, table);
    }
    er_pg_rows_done(&rows);
    conn->upkeep_ms += (er_clock_mono_ms(NULL) - began_ms) * SHARE;
}

static int remark_fill(const struct er_pg_rows *rows, int row, struct errand_arena *arena,
                       void *ret_remark)
{
    struct errand_remark *ret = ret_remark;

    ret->text = er_pg_get_text(rows, row, 0, arena);
    ret->remedy = er_pg_get_text(rows, row, 1, arena);
    return ret->text && ret->remedy ? 0 : -1;
}

int er_pg_op_remarks(struct errand_conn *conn, struct errand_arena *arena,
                     struct errand_remarks_result *ret, struct errand_error *err)
{
    struct er_pg_args args;

    er_pg_args_init(&args);
    er_pg_int(&args, OLD_MS);
    er_pg_int(&args, OLD_XIDS);
    return er_pg_ask_rows(conn, "remarks", &args, remark_fill, sizeof *ret->remarks,
                          arena, &ret->remarks, &ret->remarks_n, err);
}
