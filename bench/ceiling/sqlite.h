/* sqlite.h: the two bare tables that errand is compared with, and the few calls of SQLite
 * they share. No errand in here: this is what the engine can do. */
#ifndef ER_BENCH_SQLITE_H
#define ER_BENCH_SQLITE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* Jobs in one table with a state, or in the layout that errand uses; the same payload. */
struct table {
    const char *name, *schema;
    void (*prepare)(sqlite3 *db);
    void (*insert)(int64_t number);
    /* Ends the jobs that the last call reserved and reserves the next, in the transaction
     * that is open. How many it reserved. */
    int (*turn)(int batch, int64_t now_us);
    void (*counted)(int inserted); /* after inserts, in their transaction; NULL */
    const char *(*payload)(void);  /* of the job reserved last */
};
extern const struct table plain_table, layout_table, history_table;

sqlite3_stmt *sqlite_prepare(sqlite3 *on, const char *sql);
void sqlite_run(sqlite3_stmt *statement); /* to its end, then ready for the next */
void sqlite_exec(sqlite3 *on, const char *sql);

#endif
